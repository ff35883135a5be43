"""Tables of PostgreSQL that changes can't be applied to: each is refused before anything is read, with its remedy."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.ports.target import Counts, TableStates, Wanted
from airflow_legacy_events.databases.postgres.target import PostgresTarget
from tests.support.engines import of
from tests.support.readers import connecting
from tests.support.targets import delete, upsert, world_of

MANY = 150
NO_IDENTITY = "ALTER TABLE t REPLICA IDENTITY NOTHING"


@pytest.fixture(params=of("postgresql", also=["postgresql-15"]))
def world(request):
    with world_of(request, request.param) as found:
        yield found


@pytest.fixture
def reader(world):
    with connecting(world.legacy) as made:
        yield made


def target_of(reader):
    return PostgresTarget("dwh", reader.url, statement_timeout=dt.timedelta(seconds=20))


@pytest.mark.parametrize(
    ("statements", "wanted", "words"),
    [
        (["CREATE UNLOGGED TABLE t (id int PRIMARY KEY)"], {}, "ALTER TABLE public.t SET LOGGED"),
        (
            [
                "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)",
                "CREATE UNLOGGED TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9)",
            ],
            {},
            "ALTER TABLE public.p SET LOGGED",
        ),
        (
            [
                "CREATE TABLE t (id int PRIMARY KEY)",
                "CREATE UNLOGGED TABLE legacy_events_watermarks (id int)",
            ],
            {},
            "ALTER TABLE legacy_events_watermarks SET LOGGED",
        ),
        (["CREATE TABLE b (id int PRIMARY KEY)", "CREATE VIEW t AS SELECT * FROM b"], {}, "a view"),
        (["CREATE MATERIALIZED VIEW t AS SELECT 1 AS id"], {}, "a materialized view"),
        (
            ["CREATE TABLE t (id int PRIMARY KEY)", "CREATE RULE aside AS ON INSERT TO t DO INSTEAD NOTHING"],
            {},
            "DROP RULE aside ON public.t",
        ),
        (["CREATE TABLE t (a int)"], {}, "needs a key"),
        (["CREATE TABLE t (a int UNIQUE)"], {}, "needs a key"),
        (
            ["CREATE TABLE t (a int PRIMARY KEY, b int)"],
            {"key": ("b",)},
            "CREATE UNIQUE INDEX CONCURRENTLY ON public.t (b)",
        ),
        (["CREATE TABLE t (a int PRIMARY KEY)"], {"key": ("x",)}, "there is no column 'x'"),
        (
            ["CREATE TABLE t (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)"],
            {"key": ("id",)},
            "add day to key_columns, since it is partitioned by day",
        ),
        (["CREATE TABLE t (a int PRIMARY KEY, b jsonb)"], {"version": "b"}, "version_column='b'"),
        (["CREATE TABLE t (a int PRIMARY KEY, b text)"], {"deleted": "b"}, "deleted_column='b'"),
        (
            ["CREATE TABLE t (a int PRIMARY KEY, b timestamptz NOT NULL)"],
            {"deleted": "b"},
            "drop its NOT NULL",
        ),
        (["CREATE TABLE t (a int UNIQUE)", "CREATE UNIQUE INDEX ON t (a) WHERE a > 0"], {}, "needs a key"),
    ],
)
def test_a_table_that_can_not_be_written_to_is_refused(world, statements, wanted, words):
    for statement in statements:
        world.execute(statement)
    with pytest.raises(ConfigurationError) as found:
        world.shape(**wanted)
    assert words in str(found.value)


def test_all_that_is_wrong_stands_in_one_message(world):
    world.execute("CREATE UNLOGGED TABLE t (a int)")
    world.execute("CREATE RULE aside AS ON DELETE TO t DO INSTEAD NOTHING")
    with pytest.raises(ConfigurationError, match=r"SET LOGGED; .*DROP RULE aside"):
        world.shape()


def test_a_table_that_is_not_there_is_no_shape(world):
    assert world.shape("t") is None
    assert world.target.identity("t") is None


def test_a_table_is_known_by_its_oid(world):
    world.execute('CREATE TABLE "T t" (id int PRIMARY KEY)')
    first = world.target.identity('public."T t"')
    assert [(int(first),)] == world.execute("""SELECT '"T t"'::regclass::oid::int8""")
    world.execute('TRUNCATE "T t"; ALTER TABLE "T t" ADD b int')
    assert world.target.identity("T t") == first
    world.execute('DROP TABLE "T t"')
    world.execute('CREATE TABLE "T t" (id int PRIMARY KEY)')
    assert world.target.identity("T t") != first


def test_a_table_that_another_server_writes_is_refused(world):
    world.execute("CREATE TABLE t (id int PRIMARY KEY)")
    world.execute("CREATE SUBSCRIPTION sub CONNECTION '' PUBLICATION p WITH (connect = false)")
    try:
        world.execute(
            "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 't'::regclass, 'r'"
            " FROM pg_subscription WHERE subname = 'sub'"
        )
        with pytest.raises(ConfigurationError, match="its rows arrive by the subscription sub"):
            world.shape()
    finally:
        world.execute("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        world.execute("DROP SUBSCRIPTION sub")


def test_a_user_for_whom_transactions_are_read_only_is_refused(world, reader):
    world.execute("CREATE TABLE t (id int PRIMARY KEY)")
    reader.may(["GRANT SELECT, INSERT, UPDATE, DELETE ON t TO reader"])
    world.execute(f"ALTER ROLE {reader.name} SET default_transaction_read_only = on")
    target = target_of(reader)
    with pytest.raises(ConfigurationError, match=f"ALTER ROLE {reader.name} SET default_transaction_read_only = off"):
        target.reflect("t", Wanted())
    target.close()


def test_rights_are_named_and_enough(world, reader):
    world.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    target = target_of(reader)
    with pytest.raises(ConfigurationError) as found:
        target.reflect("t", Wanted())
    grants = [line for line in str(found.value).splitlines() if line.startswith("GRANT")]
    assert grants == [f"GRANT SELECT, INSERT, UPDATE ON public.t TO {reader.name}"]
    reader.may([one.replace(reader.name, "reader") for one in grants])
    shape = target.reflect("t", Wanted())
    assert f"GRANT DELETE ON public.t TO {reader.name}" in "\n".join(shape.warnings)
    assert not shape.facts.temporary
    rows = [upsert(str(at), "x") for at in range(MANY)]
    for states in (rows, rows, rows[:2]):
        with target.transaction() as unit:
            assert unit.apply(TableStates(shape, states)) == Counts(len(states))
            unit.settle()
    with pytest.raises(TargetError) as found, target.transaction() as unit:
        unit.apply(TableStates(shape, [delete(shape, "1")]))
    assert f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.t TO {reader.name}" in str(found.value).splitlines()
    reader.may(["GRANT DELETE ON t TO reader"])
    with target.transaction() as unit:
        assert unit.apply(TableStates(shape, [delete(shape, str(at)) for at in range(MANY)])) == Counts(0, MANY)
    target.close()


@pytest.mark.parametrize("number", ["int", "serial"])
def test_rights_on_columns_are_enough_for_these(world, reader, number):
    world.execute(f"CREATE TABLE t (id int PRIMARY KEY, a text, b text, n {number})")
    reader.may(["GRANT SELECT (id), INSERT (id, a), UPDATE (a) ON t TO reader"])
    if number == "serial":
        reader.may(["GRANT USAGE ON SEQUENCE t_n_seq TO reader"])
    world.target.close()
    world.target = target_of(reader)
    shape = world.shape()
    for count in (1, 1, MANY, MANY):
        states = [upsert(str(at), "x", ABSENT, ABSENT) for at in range(count)]
        assert world.apply(shape, *states) == Counts(count)
    with pytest.raises(TargetError, match="GRANT"):
        world.apply(shape, upsert("1", "x", "y", ABSENT))


def test_policies_are_refused_at_the_start_and_end_a_run(world, reader):
    world.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    reader.may(["GRANT SELECT, INSERT, UPDATE, DELETE ON t TO reader"])
    target = target_of(reader)
    shape = target.reflect("t", Wanted())
    world.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    world.execute("CREATE POLICY own ON t USING (id < 5)")
    with pytest.raises(ConfigurationError, match=f"ALTER ROLE {reader.name} BYPASSRLS"):
        target.reflect("t", Wanted())
    with pytest.raises(TargetError, match="BYPASSRLS"), target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x")]))
    assert world.rows() == []
    target.close()


def test_children_that_a_delete_takes_along_are_a_warning(world):
    world.execute("CREATE TABLE t (id int PRIMARY KEY)")
    world.execute("CREATE TABLE child (id int REFERENCES t ON DELETE CASCADE, other int REFERENCES t)")
    stays, warning = world.shape().warnings
    assert "child_id_fkey of public.child, child_other_fkey of public.child" in stays
    assert "ON DELETE CASCADE" in warning
    assert "child_id_fkey" in warning
    assert "child_other_fkey" not in warning
    assert world.shape("child", append=True).warnings == ()


def test_parents_are_named_as_the_user_named_them(world):
    world.execute("CREATE TABLE p (id int PRIMARY KEY, self int REFERENCES p)")
    world.execute("CREATE TABLE q (id int PRIMARY KEY)")
    world.execute("CREATE TABLE t (id int PRIMARY KEY REFERENCES p, q int REFERENCES q)")
    assert set(world.shape("t", others=("P", "nothing")).parents) == {"P", "public.q"}
    assert world.shape("p").parents == ()


@pytest.mark.parametrize(
    ("ddl", "words"),
    [
        ("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)", "partition"),
        ("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t; " + NO_IDENTITY, "55000"),
    ],
)
def test_what_is_no_fault_of_a_message_ends_the_run(world, ddl, words):
    for statement in ddl.split("; "):
        world.execute(statement)
    shape, found = world.shape(), ""
    for state in (upsert("1"), delete(shape, "1")):
        try:
            world.apply(shape, state)
        except TargetError as error:
            found += str(error)
    assert words in found


def test_rows_of_partitions_are_found_in_each(world):
    world.execute("CREATE TABLE t (id int, day date, a text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)")
    for first, last in (("2026-01-01", "2026-07-01"), ("2026-07-01", "2027-01-01")):
        world.execute(f"CREATE TABLE p_{first[5:7]} PARTITION OF t FOR VALUES FROM ('{first}') TO ('{last}')")
    shape = world.shape()
    assert "partitioned by day" in " ".join(shape.warnings)
    days = ("2026-02-01", "2026-08-01")
    for text in ("x", "y"):
        states = [upsert(str(at), day, text) for at in range(MANY) for day in days]
        assert world.apply(shape, *states) == Counts(2 * MANY)
    assert world.apply(shape, upsert("1", days[1], "moved", former=("2", days[0]))) == Counts(1)
    assert world.apply(shape, delete(shape, "0", days[0])) == Counts(0, 1)
    assert world.execute("SELECT count(*) FROM t") == [(2 * MANY - 2,)]


def test_rows_of_children_are_left_alone(world):
    world.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    world.execute("CREATE TABLE child () INHERITS (t)")
    world.execute("INSERT INTO child VALUES (1, 'theirs')")
    shape = world.shape()
    assert world.apply(shape, upsert("1", "ours")) == Counts(1)
    assert world.apply(shape, delete(shape, "1")) == Counts(0, 1)
    assert world.rows() == [(1, "theirs")]


def test_a_sequence_below_the_ids_is_named_with_its_remedy(world):
    world.execute("CREATE TABLE t (id serial PRIMARY KEY, a text)")
    shape = world.shape()
    assert shape.warnings == ()
    world.apply(shape, upsert("7", "x"))
    [warning] = world.shape().warnings
    world.execute(warning[warning.index("SELECT setval") :])
    assert world.shape().warnings == ()
    assert world.execute("INSERT INTO t (a) VALUES ('y') RETURNING id") == [(8,)]


def test_a_table_in_a_schema_that_this_user_may_not_use_is_named(world, reader):
    world.execute("CREATE SCHEMA hidden")
    world.execute("CREATE TABLE hidden.t (id int PRIMARY KEY)")
    target = target_of(reader)
    try:
        with pytest.raises(ConfigurationError, match=f"GRANT USAGE ON SCHEMA hidden TO {reader.name}"):
            target.reflect("hidden.t", Wanted())
    finally:
        target.close()
        world.execute("DROP SCHEMA hidden CASCADE")
