"""What PostgreSQL's catalog proves of a table: rows that differ, the object that it is, its order, its definition."""

from __future__ import annotations

import pytest
from psycopg.pq import TransactionStatus

from airflow_legacy_events.databases.postgres.below import below_relations
from airflow_legacy_events.databases.postgres.query_state import query_state
from tests.support.engines import of
from tests.support.legacy import reused_database


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def state(legacy):
    """Looks at a table as a role that may do nothing but SELECT, from a session of its own."""
    name = f"{legacy.url.database}_reader"
    legacy.execute(f"CREATE ROLE {name} LOGIN")

    def look(table="t", sql=None, schema="public", **settings):
        legacy.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        legacy.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}")
        for setting, value in settings.items():
            legacy.execute(f"ALTER ROLE {name} SET {setting} = {value}")
        database = legacy.database(username=name)
        try:
            return database.reflect(None if sql else table, sql).state
        finally:
            database.close()

    yield look
    legacy.execute("RESET ALL")
    legacy.connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


IGNORES_CASE = "CREATE COLLATION odd (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"


@pytest.mark.parametrize(
    ("statements", "proved"),
    [
        (["CREATE TABLE t (id integer PRIMARY KEY, at integer, v text UNIQUE)"], {("id",), ("v",)}),
        (["CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE c () INHERITS (t)"], set()),
        (["CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE c () INHERITS (t)", "DROP TABLE c"], {("id",)}),
        (["CREATE TABLE p (id integer)", "CREATE TABLE t (PRIMARY KEY (id)) INHERITS (p)"], {("id",)}),
        (
            [
                "CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id)",
                "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
            ],
            {("id",)},
        ),
        (["CREATE TABLE t (id integer, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)"], {("id",)}),
        (["CREATE TABLE t (a integer, b integer)", "CREATE UNIQUE INDEX ON t (a) INCLUDE (b)"], {("a",)}),
        (["CREATE TABLE t (a integer)", "CREATE UNIQUE INDEX ON t (a) WHERE a > 0"], set()),
        (["CREATE TABLE t (a integer)", "CREATE UNIQUE INDEX ON t ((a + 1))"], set()),
        (["CREATE TABLE t (a integer)", "CREATE UNIQUE INDEX ON t (a) NULLS NOT DISTINCT"], {("a",)}),
        ([IGNORES_CASE, "CREATE TABLE t (v text COLLATE odd UNIQUE)"], {("v",)}),
        (
            [IGNORES_CASE, "CREATE TABLE t (v text COLLATE odd)", 'CREATE UNIQUE INDEX ON t (v COLLATE "C")'],
            set(),
        ),
        ([IGNORES_CASE, "CREATE TABLE t (v text)", "CREATE UNIQUE INDEX ON t (v COLLATE odd)"], {("v",)}),
        (["CREATE TABLE t (v text)", 'CREATE UNIQUE INDEX ON t (v COLLATE "C" text_pattern_ops)'], {("v",)}),
        (["CREATE EXTENSION citext", "CREATE TABLE t (v citext UNIQUE)"], {("v",)}),
        (["CREATE EXTENSION citext", "CREATE TABLE t (v citext)", "CREATE UNIQUE INDEX ON t (v text_ops)"], set()),
        (
            [
                "CREATE EXTENSION citext; CREATE DOMAIN d AS citext",
                "CREATE TABLE t (v d, w d UNIQUE)",
                "CREATE UNIQUE INDEX ON t (v text_ops)",
            ],
            {("w",)},
        ),
        (
            [
                "CREATE TYPE mood AS ENUM ('a')",
                "CREATE DOMAIN code AS varchar(9)",
                "CREATE TABLE t (m mood UNIQUE, c code UNIQUE, a mood[] UNIQUE, i int4range UNIQUE)",
            ],
            {("m",), ("c",), ("a",), ("i",)},
        ),
        (
            [
                "CREATE TYPE pair AS (a numeric, b integer)",
                "CREATE TABLE t (p pair)",
                "CREATE UNIQUE INDEX ON t (p record_image_ops)",
            ],
            set(),
        ),
        (["CREATE MATERIALIZED VIEW t AS SELECT 1 AS id", "CREATE UNIQUE INDEX ON t (id)"], {("id",)}),
        (["CREATE TABLE b (id integer PRIMARY KEY)", "CREATE VIEW t AS SELECT * FROM b"], set()),
    ],
)
def test_what_is_distinct_is_proved_for_the_rows_that_are_read(legacy, state, statements, proved):
    for statement in statements:
        legacy.execute(statement)
    assert set(state().distinct) == proved


def test_an_index_that_could_not_be_built_proves_nothing(legacy, state):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        legacy.execute("CREATE UNIQUE INDEX CONCURRENTLY ON t (id)")
    assert state().distinct == ()


def test_a_key_without_overlaps_is_distinct_too(legacy, state):
    if legacy.connection.info.server_version < 180_000:
        legacy.execute("CREATE TABLE t (id integer, during daterange)")  # nothing of it is known there
        assert state().distinct == ()
        return
    legacy.execute("CREATE EXTENSION btree_gist")
    legacy.execute("CREATE TABLE t (id integer, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS))")
    assert state().distinct == (("id", "during"),)


@pytest.mark.parametrize(
    ("change", "another"),
    [
        ("TRUNCATE t", True),
        ("ALTER TABLE t ALTER v TYPE text USING v::text", True),
        ("VACUUM FULL t", True),
        ("ALTER TABLE t RENAME TO old; CREATE TABLE t (LIKE old)", True),
        ("VACUUM t", False),
        ("DELETE FROM t", False),
        ("CREATE INDEX ON t (v); ALTER TABLE t ADD COLUMN more integer DEFAULT 5", False),
        ("REINDEX TABLE t", False),
        ("ALTER TABLE t SET SCHEMA other; ALTER TABLE other.t SET SCHEMA public", False),
    ],
)
def test_the_object_is_another_one_once_its_file_is(legacy, state, change, another):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, v integer)")
    legacy.execute("CREATE SCHEMA other")
    before = state().object
    for statement in change.split("; "):
        legacy.execute(statement)
    assert set(before) == {"oid", "filenode"}
    assert (state().object != before) is another


@pytest.mark.parametrize(
    ("change", "another"),
    [
        ("CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (20) TO (30)", False),
        ("DROP TABLE t1", False),
        ("ALTER TABLE t DETACH PARTITION t1", False),
        ("TRUNCATE t", True),
        ("VACUUM FULL t2", True),
        ("ALTER TABLE t ALTER v TYPE bigint", True),
        ("DROP TABLE t; CREATE TABLE t (id integer, v integer) PARTITION BY RANGE (id)", True),
    ],
)
def test_the_object_of_a_partitioned_table_does_not_change_with_partitions_that_come_and_go(
    legacy, state, change, another
):
    legacy.execute("CREATE TABLE t (id integer, v integer) PARTITION BY RANGE (id)")
    legacy.execute("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)")
    legacy.execute("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)")
    before = state().object
    for statement in change.split("; "):
        legacy.execute(statement)
    assert set(before) == {"oid", "exchanged"}
    assert (state().object != before) is another


def test_the_object_of_a_parent_is_another_one_once_a_child_is_emptied(legacy, state):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute("CREATE TABLE c () INHERITS (t)")
    before = state().object
    legacy.execute("CREATE TABLE d () INHERITS (t)")
    assert state().object == before
    legacy.execute("TRUNCATE c")
    assert state().object != before


def test_a_refreshed_view_is_the_same_object_and_a_view_is_none(legacy, state):
    legacy.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS id")
    legacy.execute("CREATE VIEW v AS SELECT 1 AS id")
    before = state("m").object
    legacy.execute("REFRESH MATERIALIZED VIEW m")
    assert state("m").object == before
    assert state("v").object is None


def test_the_order_is_that_of_each_column_that_has_one(legacy, state):
    legacy.execute("""CREATE COLLATION sv (provider = icu, locale = 'sv-SE')""")
    legacy.execute('CREATE TABLE t (id integer, a text, b varchar(9) COLLATE "C", c text COLLATE sv, d timestamptz)')
    [(locale,)] = legacy.execute("SELECT datcollate FROM pg_database WHERE datname = current_database()")
    [(version,)] = legacy.execute("SELECT pg_collation_actual_version('sv'::regcollation)")
    assert state().order == {"a": f"{locale} (libc)", "b": "C (libc)", "c": f"sv (icu {version})"}


BASE = "CREATE TABLE b (id integer PRIMARY KEY, v integer, w integer)"
VIEW = "CREATE OR REPLACE VIEW t AS SELECT id, v FROM b WHERE v > 1"


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT id, v FROM b WHERE v > 0", True),
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT id, v, w FROM b WHERE v > 1", False),
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT id, v + 1 AS v FROM b WHERE v > 1", False),
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT DISTINCT ON (v) id, v FROM b WHERE v > 1", True),
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT id, v FROM b WHERE v > 1 LIMIT 9", True),
        (VIEW, "CREATE OR REPLACE VIEW t AS SELECT id, v FROM b WHERE v > 1 UNION SELECT 0, 0", True),
        (VIEW, "CREATE INDEX ON b (v)", False),
        (VIEW, "ALTER VIEW t OWNER TO CURRENT_USER", False),
        (
            "CREATE VIEW t AS WITH x AS (SELECT * FROM b WHERE v > 1) SELECT id, v FROM x",
            "CREATE OR REPLACE VIEW t AS WITH x AS (SELECT * FROM b WHERE v > 0) SELECT id, v FROM x",
            True,
        ),
        (
            "CREATE VIEW t AS SELECT id, v IS DISTINCT FROM w AS odd FROM b WHERE v > 1",
            "CREATE OR REPLACE VIEW t AS SELECT id, v IS DISTINCT FROM w AS odd FROM b WHERE v > 0",
            True,
        ),
        (
            "CREATE VIEW t AS SELECT id, v FROM b UNION ALL SELECT id, w FROM b WHERE w > 1",
            "CREATE OR REPLACE VIEW t AS SELECT id, v, w FROM b UNION ALL SELECT id, w, v FROM b WHERE w > 1",
            False,
        ),
        (
            "CREATE VIEW t AS SELECT id, v FROM b UNION ALL SELECT id, w FROM b WHERE w > 1",
            "CREATE OR REPLACE VIEW t AS SELECT id, v FROM b UNION ALL SELECT id, w FROM b WHERE w > 0",
            True,
        ),
        ("CREATE VIEW t AS SELECT 1 AS id", "CREATE OR REPLACE VIEW t AS SELECT 2 AS id", True),
        (
            "CREATE VIEW t AS SELECT id, 'a FROM b WHERE' AS v FROM b",
            "CREATE OR REPLACE VIEW t AS SELECT id, 'b FROM c WHERE' AS v FROM b",
            False,
        ),
    ],
)
def test_a_view_is_another_one_once_it_chooses_other_rows(legacy, state, before, after, another):
    legacy.execute(BASE)
    legacy.execute(before)
    first = state().definition
    legacy.execute(after)
    assert first is not None
    assert (state().definition != first) is another


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
@pytest.mark.parametrize(
    ("inner", "another"),
    [
        ("SELECT id, v, v > 5 AS good FROM b WHERE v > 0", True),
        ("SELECT id, v, v > 4 AS good FROM b WHERE v > 1", True),
        ("SELECT id, v, v > 5 AS good, w FROM b WHERE v > 1", False),
        ("SELECT id, v + 1 AS v, v > 5 AS good FROM b WHERE v > 1", False),
    ],
)
def test_views_below_count_by_the_rows_that_they_have_and_by_what_is_chosen_by(legacy, state, kind, inner, another):
    legacy.execute(BASE)
    legacy.execute("CREATE VIEW lower AS SELECT id, v, v > 5 AS good FROM b WHERE v > 1")
    legacy.execute("CREATE VIEW middle AS SELECT * FROM lower")
    legacy.execute(f"CREATE {kind} t AS SELECT id, middle.v FROM middle JOIN lower USING (id) WHERE lower.good")
    before = state().definition
    legacy.execute(f"CREATE OR REPLACE VIEW lower AS {inner}")
    assert (state().definition != before) is another


def test_a_definition_does_not_depend_on_the_path_of_who_asks_and_the_path_stays(legacy, state):
    legacy.execute("CREATE SCHEMA crm")
    legacy.execute("CREATE TABLE crm.b (id integer)")
    legacy.execute("CREATE VIEW crm.t AS SELECT id FROM crm.b WHERE id > 0")
    before = state("crm.t", schema="crm").definition
    assert state("t", schema="crm", search_path="crm, public").definition == before
    database = legacy.database()
    with database.snapshot():
        assert database.reflect("crm.t", None).state.definition == before
        assert database.reflect("crm.t", None).state.definition == before
    database.close()


def test_a_role_that_may_not_see_a_definition_is_told_the_grant(legacy, state):
    legacy.execute(BASE)
    legacy.execute(VIEW)
    legacy.execute("REVOKE EXECUTE ON FUNCTION pg_get_viewdef(oid) FROM public")
    try:
        found = state()
    finally:
        legacy.execute("GRANT EXECUTE ON FUNCTION pg_get_viewdef(oid) TO public")
    assert found.definition is None
    [reason] = found.unknown
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_viewdef(oid) TO " in reason


FOREIGN = (
    "CREATE EXTENSION file_fdw",
    "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
    "CREATE FOREIGN TABLE f (id integer) SERVER files OPTIONS (filename '/dev/null')",
)


@pytest.mark.parametrize(
    "also",
    [
        ["ALTER TABLE f RENAME TO t"],
        ["CREATE VIEW t AS SELECT * FROM f WHERE id > 0"],
        ["CREATE VIEW v AS SELECT * FROM f", "CREATE VIEW t AS SELECT * FROM v"],
        [
            "CREATE TABLE t (id integer) PARTITION BY RANGE (id)",
            "ALTER TABLE t ATTACH PARTITION f FOR VALUES FROM (0) TO (9)",
        ],
        ["CREATE TABLE t (id integer)", "ALTER TABLE f INHERIT t"],
        ["CREATE TABLE p (id integer)", "ALTER TABLE f INHERIT p", "CREATE VIEW t AS SELECT * FROM p"],
    ],
)
def test_what_is_read_through_a_foreign_table_is_not_held_still(legacy, state, also):
    for statement in (*FOREIGN, *also):
        legacy.execute(statement)
    assert "is a foreign table of server files, read by file_fdw: which holds no snapshot" in state().unheld


@pytest.mark.parametrize(
    ("change", "another"),
    [
        ("ALTER FOREIGN TABLE f OPTIONS (SET filename '/dev/zero')", True),
        ("ALTER FOREIGN TABLE f ADD COLUMN more integer", False),
    ],
)
@pytest.mark.parametrize("table", ["f", "v"])
def test_a_foreign_table_is_another_one_once_it_stands_for_another(legacy, state, table, change, another):
    for statement in (*FOREIGN, "CREATE VIEW v AS SELECT id FROM f"):
        legacy.execute(statement)
    before = state(table).definition
    legacy.execute(change)
    assert before is not None
    assert (state(table).definition != before) is another


def test_what_is_read_by_postgres_fdw_is_said_to_be_there(legacy, state):
    legacy.execute("CREATE EXTENSION postgres_fdw")
    legacy.execute("CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw")
    legacy.execute("CREATE FOREIGN TABLE f (id integer) SERVER there")
    legacy.execute("CREATE VIEW t AS SELECT id FROM f")
    database = legacy.database()
    with database._using("looking") as session:
        [(oid,)] = legacy.execute("SELECT 't'::regclass::oid::int8")
        unheld = below_relations(session.connection, [oid]).unheld
    database.close()
    assert "public.f is a foreign table of server there, read by postgres_fdw: a TRUNCATE" in unheld
    assert "CREATE TABLE … AS TABLE public.f" in unheld


def test_a_view_that_asks_another_server_is_not_held_still(legacy, state):
    legacy.execute("CREATE EXTENSION dblink")
    legacy.execute("CREATE VIEW t AS SELECT * FROM dblink('dbname=nowhere', 'SELECT 1') AS x (id integer)")
    legacy.execute("CREATE FUNCTION plain() RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1'")
    legacy.execute("CREATE VIEW u AS SELECT id FROM plain() AS x (id)")
    assert state("u").unheld is None
    database = legacy.database()
    with database._using("looking") as session:
        [(oid,)] = legacy.execute("SELECT 't'::regclass::oid::int8")
        assert "public.dblink() can read what no snapshot holds" in below_relations(session.connection, [oid]).unheld
    database.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE t (id integer)"],
        ["CREATE TABLE b (id integer)", "CREATE VIEW t AS SELECT * FROM b"],
        [
            "CREATE TABLE t (id integer) PARTITION BY RANGE (id)",
            "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
        ],
    ],
)
def test_what_the_server_keeps_itself_is_held_still(legacy, state, statements):
    for statement in statements:
        legacy.execute(statement)
    found = state()
    assert found.unheld is None
    assert found.unknown == ()


@pytest.mark.parametrize("legacy", ["postgresql-15"], indirect=True)
def test_an_earlier_release_says_the_same(legacy, state):
    for statement in FOREIGN:
        legacy.execute(statement)
    legacy.execute('CREATE TABLE b (id integer PRIMARY KEY, v text COLLATE "C" UNIQUE, w text)')
    legacy.execute("CREATE VIEW t AS SELECT * FROM b WHERE id > 0")
    legacy.execute("CREATE TABLE p (id integer) PARTITION BY RANGE (id)")
    legacy.execute("ALTER TABLE p ATTACH PARTITION f FOR VALUES FROM (0) TO (9)")
    table, view, parent = state("b"), state(), state("p")
    assert (table.distinct, set(table.object)) == ((("id",), ("v",)), {"oid", "filenode"})
    assert table.order["v"] == "C (libc)"
    assert table.order["w"].endswith("(libc)")
    assert view.definition is not None
    assert "public.f is a foreign table" in parent.unheld
    legacy.execute("TRUNCATE b")
    assert state("b").object != table.object


def test_a_query_is_another_one_once_a_view_in_it_is(legacy, state):
    legacy.execute("CREATE SCHEMA crm")
    legacy.execute("CREATE TABLE crm.b (id integer PRIMARY KEY, v integer)")
    legacy.execute("CREATE VIEW crm.lower AS SELECT id, v FROM crm.b WHERE v > 1")
    legacy.execute('CREATE VIEW crm."Odd %s view" AS SELECT * FROM crm.lower')
    query = """SELECT id, 'lower :a %s' AS note FROM crm.b WHERE id IN (SELECT id FROM "Odd %s view") ; -- crm.lower"""

    def definition(sql=query):
        return state(sql=sql, schema="crm", search_path="crm").definition

    before = definition()
    assert before is not None
    assert definition("SELECT id FROM b") is None
    legacy.execute("CREATE OR REPLACE VIEW crm.lower AS SELECT id, v + 1 AS v FROM crm.b WHERE v > 1")
    assert definition() == before
    legacy.execute("CREATE OR REPLACE VIEW crm.lower AS SELECT id, v FROM crm.b WHERE v > 0")
    assert definition() != before


def test_a_query_in_a_snapshot_leaves_it_as_it_is(legacy):
    legacy.execute(BASE)
    legacy.execute(VIEW)
    database = legacy.database()
    with database.snapshot():
        found = database.reflect(None, "SELECT id FROM t").state.definition
        legacy.execute("SET lock_timeout = '2s'")
        legacy.execute("TRUNCATE b")
        assert database.reflect(None, "SELECT id FROM t").state.definition == found
    legacy.execute("RESET lock_timeout")
    assert found is not None
    database.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT id FROM f", "public.f is a foreign table of server files"),
        ("SELECT id FROM p JOIN v USING (id)", "public.f is a foreign table of server files"),
        ("WITH x AS (SELECT id FROM v) SELECT * FROM x", "public.f is a foreign table of server files"),
        ("SELECT id FROM dblink('dbname=nowhere', 'SELECT 1') AS x (id integer)", "public.dblink() can read what"),
        ("SELECT id FROM p", None),
        ("SELECT n AS id FROM generate_series(1, 5) AS n", None),
    ],
)
def test_a_query_is_held_still_but_for_what_it_reads_elsewhere(legacy, state, query, told):
    for statement in (*FOREIGN, "CREATE EXTENSION dblink", "CREATE TABLE p (id integer) PARTITION BY RANGE (id)"):
        legacy.execute(statement)
    legacy.execute("CREATE VIEW v AS SELECT * FROM f")
    found = state(sql=query)
    assert found.unheld is told if told is None else told in found.unheld
    assert found.unknown == ()


def test_a_query_that_can_not_be_planned_says_so_and_leaves_the_session(legacy):
    database = legacy.database()
    with database._using("looking") as session:
        found = query_state(session.connection, "SELECT 1 / 0; SELECT 2")
        assert session.connection.info.transaction_status == TransactionStatus.IDLE
    assert "EXPLAIN of it fails with cannot insert multiple commands" in found.unknown[0]
    database.close()
