"""Misuses of PostgreSQL's change log: one error each, whose SQL mends it, and nothing is made or changed before."""

from __future__ import annotations

import contextlib

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.slots import logged_database, role, statements_in

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text, u integer NOT NULL)"
WITH_GENERATED = f"{ORDERS[:-1]}, v integer GENERATED ALWAYS AS (u + 1) {{}})"
EACH = of("postgresql")


@pytest.fixture(params=EACH)
def logged(request):
    with logged_database(request, request.param, fresh=True) as found:
        yield found


def mended(logged, *, first=""):
    """Check that one error is raised, run the first statement it has, or that which begins so, and all with it."""
    lines = logged.check()
    assert lines, "nothing was found"
    assert "problems were found" not in lines[0], lines
    found = [one for one in statements_in(lines) if one.startswith(first)]
    assert found, lines
    made = logged.execute("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()")
    assert made == [(0,)]
    several = [one for one in found if one.startswith("ALTER PUBLICATION")] or found[:1]
    logged.execute(*several)
    assert logged.check() == []
    return lines[0]


NOTHING = "CREATE TABLE orders (id integer PRIMARY KEY); ALTER TABLE orders REPLICA IDENTITY NOTHING"
DEFERRABLE = "CREATE TABLE orders (id integer PRIMARY KEY DEFERRABLE, t text)"
DROPPED = (
    "CREATE TABLE orders (id integer NOT NULL, t text); CREATE UNIQUE INDEX known ON orders (id);"
    " ALTER TABLE orders REPLICA IDENTITY USING INDEX known; DROP INDEX known; CREATE UNIQUE INDEX k ON orders (id)"
)
OUTSIDE = "CREATE TABLE orders (id integer PRIMARY KEY, n integer NOT NULL UNIQUE)"
INCLUDED = "CREATE TABLE orders (id integer, n integer NOT NULL UNIQUE, PRIMARY KEY (id) INCLUDE (n))"
PARTITIONED = (
    "CREATE TABLE orders (id integer NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);"
    " CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    " ALTER TABLE orders_1 REPLICA IDENTITY FULL"
)
PARTITION = (
    "CREATE TABLE orders (id integer PRIMARY KEY, day date) PARTITION BY RANGE (id);"
    " CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9);"
    " ALTER TABLE orders_1 REPLICA IDENTITY NOTHING"
)


@pytest.mark.parametrize(
    ("table", "key", "says", "first"),
    [
        (NOTHING, (), "no replica identity", "ALTER TABLE public.orders REPLICA IDENTITY DEFAULT"),
        (DEFERRABLE, (), "no replica identity", "ALTER TABLE public.orders REPLICA IDENTITY FULL"),
        (DROPPED, ("id",), "no replica identity", "ALTER TABLE public.orders REPLICA IDENTITY USING INDEX k"),
        (
            OUTSIDE,
            ("n",),
            "no old value of its key column 'n'",
            "ALTER TABLE public.orders REPLICA IDENTITY USING INDEX",
        ),
        (INCLUDED, ("n",), "no old value of its key column 'n'", "ALTER TABLE public.orders REPLICA IDENTITY USING"),
        (PARTITIONED, ("id", "day"), "is partitioned and has no primary key", "ALTER TABLE"),
        (PARTITION, (), "table 'public.orders_1' has no", "ALTER TABLE public.orders_1 REPLICA IDENTITY DEFAULT"),
    ],
    ids=["nothing", "deferrable", "index dropped", "outside", "included", "partitioned", "partition"],
)
def test_a_table_without_a_usable_replica_identity_is_never_published(logged, table, key, says, first):
    logged.execute(*table.split("; "))
    logged.keys = {"public.orders": key} if key else {}
    assert says in mended(logged, first=first)


def test_the_application_works_on_while_a_keyless_table_is_refused(logged):
    logged.execute("CREATE TABLE orders (id integer, t text)", "INSERT INTO orders VALUES (1, 'a')")
    logged.keys = {"public.orders": ("id",)}
    assert "has no replica identity" in logged.check()[0]
    logged.execute("UPDATE orders SET t = 'b'", "DELETE FROM orders")
    assert logged.execute("SELECT count(*) FROM pg_publication") == [(0,)]


def test_a_generated_key_is_refused_before_anything_is_made(logged):
    logged.execute(
        "CREATE TABLE orders (n integer NOT NULL UNIQUE, id integer GENERATED ALWAYS AS (n * 2) STORED PRIMARY KEY)",
        "INSERT INTO orders VALUES (1)",
    )
    said = logged.check()
    assert "key has the generated column 'id'" in said[0]
    logged.execute("UPDATE orders SET n = 2", *statements_in(said))
    logged.keys = {"public.orders": ("n",)}
    assert logged.check() == []


def test_a_virtual_column_under_a_full_identity_is_refused_from_18_on(request):
    with logged_database(
        request, "postgresql-18", f"{ORDERS[:-1]}, v integer GENERATED ALWAYS AS (u + 1) VIRTUAL)"
    ) as logged:
        logged.execute("ALTER TABLE orders REPLICA IDENTITY FULL", "INSERT INTO orders VALUES (1, 'a', 1)")
        assert "generated column 'v'" in mended(logged)
        logged.begin()
        logged.execute("UPDATE orders SET u = 2", "DELETE FROM orders")


def test_stored_columns_under_a_full_identity_need_a_given_publication_to_have_them(request):
    with logged_database(
        request, "postgresql-18", f"{ORDERS[:-1]}, s integer GENERATED ALWAYS AS (u + 1) STORED)"
    ) as logged:
        logged.given = True
        logged.execute("ALTER TABLE orders REPLICA IDENTITY FULL", f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
        assert "generated column 's'" in mended(logged, first="ALTER PUBLICATION")


@pytest.mark.parametrize(
    ("rights", "says"),
    [
        (["GRANT USAGE, CREATE ON SCHEMA public TO {role}", "ALTER TABLE orders OWNER TO {role}"], "may not replicate"),
        (["ALTER ROLE {role} REPLICATION", "ALTER TABLE orders OWNER TO {role}"], "may not make a publication"),
        (["ALTER ROLE {role} REPLICATION", "GRANT CREATE ON DATABASE {database} TO {role}"], "only an owner may"),
        (
            ["ALTER ROLE {role} REPLICATION", "GRANT CREATE ON DATABASE {database} TO {role}", "owner without t"],
            "may not read column 't'",
        ),
    ],
    ids=["replication", "create", "owner", "column"],
)
def test_a_missing_right_is_named_with_what_gives_it(logged, rights, says):
    logged.execute(ORDERS)
    database = logged.legacy.url.database
    given = [one.replace("{database}", database) for one in rights if not one.startswith("owner")]
    if says.startswith("may not replicate"):
        given.append(f"GRANT CREATE ON DATABASE {database} TO {{role}}")
    with role(logged, "GRANT SELECT ON orders TO {role}", *given, name="owner") as user:
        if len(given) < len(rights):
            logged.execute(f"ALTER TABLE orders OWNER TO {user}", f"REVOKE ALL ON orders FROM {user}")
            logged.execute(f"GRANT SELECT (id, u) ON orders TO {user}")
        elif says.startswith("only"):
            logged.execute(f"CREATE ROLE somebody_{user}; ALTER TABLE orders OWNER TO somebody_{user}")
        logged.url = {"username": user}
        try:
            assert says in mended(logged)
        finally:
            if says.startswith("only"):
                logged.execute(f"ALTER TABLE orders OWNER TO CURRENT_USER; DROP ROLE somebody_{user}")


def test_a_withheld_column_may_be_excluded(logged):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    with role(logged, "ALTER ROLE {role} REPLICATION", "GRANT SELECT (id, u) ON orders TO {role}") as user:
        logged.given, logged.url, logged.excluded = True, {"username": user}, {"public.orders": ("t",)}
        logged.begin()
        with logged.log() as log:
            log.open()
            with log.change_log.snapshot(log.tables):
                rows = sa.select(sa.column("id")).select_from(log.tables[0].reflection.selectable)
                assert log.database.read(rows) == []


def test_a_policy_that_hides_rows_is_refused(logged):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    logged.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY mine ON orders USING (id = 1)")
    with role(logged, "ALTER ROLE {role} REPLICATION", "GRANT SELECT ON orders TO {role}") as user:
        logged.given, logged.url = True, {"username": user}
        assert "policy of row-level security" in mended(logged, first="ALTER ROLE")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("", "is not in database"),
        ("CREATE PUBLICATION {name}", "is not in publication"),
        ("CREATE PUBLICATION {name} FOR TABLE orders WITH (publish = 'insert, update')", "every delete, truncate"),
        ("CREATE PUBLICATION {name} FOR TABLE orders WHERE (id > 5)", "the row filter (id > 5)"),
        ("CREATE PUBLICATION {name} FOR TABLE orders (id, t)", "the column list (id, t)"),
    ],
    ids=["missing", "empty", "operations", "filter", "columns"],
)
def test_a_given_publication_must_publish_everything(logged, made, says):
    logged.execute(ORDERS, made.format(name=logged.name) or "SELECT 1")
    logged.given = True
    assert says in mended(logged)


def test_a_new_table_needs_a_publication_that_may_be_altered(logged):
    logged.execute(ORDERS)
    logged.begin()
    with role(logged, "ALTER ROLE {role} REPLICATION") as user:
        logged.execute(f"GRANT SELECT ON orders TO {user}", "CREATE TABLE more (id integer PRIMARY KEY)")
        logged.execute(
            f"ALTER TABLE more OWNER TO {user}", f"GRANT CREATE ON DATABASE {logged.legacy.url.database} TO {user}"
        )
        logged.url = {"username": user}
        said = logged.check()
        assert "may not add tables to publication" in said[0]
        logged.execute(*statements_in(said))
        assert logged.check() == []


def test_every_fault_is_reported_at_once(logged):
    logged.execute(ORDERS, "CREATE TABLE more (id integer)")
    logged.keys = {"public.more": ("id",)}
    with role(logged, "GRANT SELECT ON orders, more TO {role}") as user:
        logged.url, logged.name = {"username": user}, "Not-A-Name"
        said = "\n".join(logged.check())
    for one in (
        "may not replicate",
        "'Not-A-Name'",
        "no replica identity",
        "may not make a publication",
        "only an owner",
    ):
        assert one in said


def test_a_role_with_replication_select_and_a_given_publication_is_enough(logged):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    logged.execute(f"REVOKE ALL ON DATABASE {logged.legacy.url.database} FROM PUBLIC")
    rights = "ALTER ROLE {role} REPLICATION", f"GRANT CONNECT ON DATABASE {logged.legacy.url.database} TO {{role}}"
    with role(logged, *rights, "GRANT SELECT ON orders TO {role}") as user:
        logged.given, logged.url = True, {"username": user}
        logged.begin()
        logged.execute("INSERT INTO orders VALUES (1, 'a', 2)")
        with logged.log() as log:
            log.open()
            with log.change_log.snapshot(log.tables) as taken:
                assert log.change_log.unseen([1]) == taken.unseen([1]) == ()
            assert log.change_log.beyond(log.tables[0], ("1",), [("2",)]) == [True]
            assert log.change_log.state().status == "reserved"
        assert logged.run() == [("c", "1", "a", "2")]


def test_a_superuser_without_the_attribute_may_replicate(logged):
    logged.execute(ORDERS)
    with role(logged, "ALTER ROLE {role} SUPERUSER NOREPLICATION") as user:
        logged.url = {"username": user}
        assert logged.check() == []


@pytest.mark.parametrize("what", ["FOR ALL TABLES", "FOR TABLES IN SCHEMA"])
def test_a_publication_of_all_tables_is_warned_of_once(logged, caplog, what):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} {what} {'public' if 'SCHEMA' in what else ''}")
    logged.given = True
    logged.begin()
    assert len([one for one in caplog.messages if what in one]) == 1
    caplog.clear()
    logged.run()
    assert not caplog.messages


def test_a_slot_that_somebody_else_uses_is_refused(logged):
    logged.execute(ORDERS)
    logged.begin()
    dsn = logged.legacy.url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = {"replication": "database", "application_name": "other"}
    with contextlib.closing(psycopg.connect(dsn, autocommit=True, **options)) as other:
        started = (
            f"START_REPLICATION SLOT {logged.name} LOGICAL 0/0 (proto_version '1', publication_names '{logged.name}')"
        )
        other.pgconn.exec_(started.encode())
        said = logged.check()
        assert f"is in use: pid {other.info.backend_pid}, user postgres, application 'other'" in said[0]
        assert statements_in(said) == [f"SELECT pg_terminate_backend({other.info.backend_pid})"]


def test_a_partition_without_a_log_of_its_own_is_refused(logged):
    logged.execute("CREATE TABLE orders (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    logged.execute("CREATE FOREIGN DATA WRAPPER none", "CREATE SERVER far FOREIGN DATA WRAPPER none")
    logged.execute("CREATE TABLE away (id integer)")
    logged.execute("CREATE UNLOGGED TABLE fleeting (id integer PRIMARY KEY)")
    logged.execute("ALTER TABLE orders ATTACH PARTITION fleeting FOR VALUES FROM (1) TO (9)")
    logged.patterns = ("public.orders",)
    assert "its partition public.fleeting is UNLOGGED" in mended(logged)


def test_a_role_that_may_read_a_partitioned_table_alone_reads_its_snapshot(logged):
    logged.execute("CREATE TABLE orders (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    logged.execute("CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9)")
    logged.execute("INSERT INTO orders VALUES (1)", f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    with role(logged, "ALTER ROLE {role} REPLICATION", "GRANT SELECT ON orders TO {role}") as user:
        logged.given, logged.url = True, {"username": user}
        logged.begin()
        with logged.log() as log:
            log.open()
            with log.change_log.snapshot(log.tables):
                rows = sa.select(sa.column("id")).select_from(log.tables[0].reflection.selectable)
                assert log.database.read(rows) == [("1",)]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("rds.logical_replication", "GRANT rds_replication TO"),
        ("cloudsql.logical_decoding", "ALTER USER"),
        ("azure.extensions", "ALTER ROLE"),
    ],
)
def test_a_managed_server_has_the_words_of_its_provider(logged, setting, says):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    with role(logged, "GRANT SELECT ON orders TO {role}") as user:
        logged.execute(f"ALTER ROLE {user} SET {setting} = 'on'")
        logged.given, logged.url = True, {"username": user}
        said = logged.check()
        assert "may not replicate" in said[0]
        assert said[1].startswith(says)


def test_the_attribute_of_a_group_gives_its_members_nothing(logged):
    logged.execute(ORDERS, f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    with (
        role(logged, "ALTER ROLE {role} REPLICATION", name="group") as group,
        role(logged, f"GRANT {group} TO {{role}}", "GRANT SELECT ON orders TO {role}") as user,
    ):
        logged.given, logged.url = True, {"username": user}
        assert f"user {user} may not replicate" in mended(logged)
