"""Where PostgreSQL keeps the rows of a table, as it is while a snapshot of it is read."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.legacy import reused_database

PARTS = (
    "CREATE TABLE {} (id integer, v integer) PARTITION BY RANGE (id)",
    "CREATE TABLE t1 PARTITION OF {} FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE t2 PARTITION OF {} FOR VALUES FROM (10) TO (20)",
)
CHILDREN = (
    "CREATE TABLE {} (id integer, v integer)",
    "CREATE TABLE t1 () INHERITS ({})",
    "CREATE TABLE t2 () INHERITS ({})",
)
BELOW = {
    "table": ("CREATE TABLE {} (id integer, v integer)",),
    "partitions": PARTS,
    "children": CHILDREN,
    "view": ("CREATE TABLE t1 (id integer, v integer)", "CREATE VIEW {} AS SELECT * FROM t1 WHERE v > 0"),
    "view of partitions": (*(one.format("b") for one in PARTS), "CREATE VIEW {} AS SELECT * FROM b"),
    "view of a view": (
        *(one.format("b") for one in CHILDREN),
        "CREATE VIEW w AS SELECT * FROM b",
        "CREATE VIEW {} AS SELECT id, v FROM w",
    ),
    "materialized": ("CREATE MATERIALIZED VIEW {} AS SELECT 1 AS id, 2 AS v",),
}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def reader(legacy):
    """A database as a role sees it that may do nothing but SELECT."""
    name = f"{legacy.url.database}_reader"
    legacy.execute(f"CREATE ROLE {name} LOGIN")
    legacy.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
    legacy.execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {name}")
    database = legacy.database(username=name)
    yield database
    database.close()
    legacy.execute("RESET ALL")
    legacy.connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def looked_at(legacy, reader, kind, change, table="t"):
    """What one snapshot is told before and after a change; the snapshot itself stays what it was."""
    for statement in BELOW[kind]:
        legacy.execute(statement.format(table))
    counted = sa.select(sa.func.count()).select_from(sa.table(table))
    with reader.snapshot():
        reader.reflect(table, None)
        seen = reader.read(counted, max_bytes=1000)
        before = reader.storage(table)
        legacy.execute("SET lock_timeout = '2s'")  # nothing that a look locks may keep anybody waiting
        for statement in change.split("; "):
            legacy.execute(statement)
        after = reader.storage(table)
        if kind != "view":
            assert reader.read(counted, max_bytes=1000) == seen
    return before, after


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("table", "TRUNCATE t"),
        ("table", "ALTER TABLE t ALTER v TYPE text USING v::text"),
        ("table", "VACUUM FULL t"),
        ("table", "ALTER TABLE t RENAME TO old; CREATE TABLE t (id integer, v integer)"),
        ("partitions", "ALTER TABLE t DETACH PARTITION t1"),
        ("partitions", "DROP TABLE t2"),
        ("partitions", "TRUNCATE t2"),
        ("children", "ALTER TABLE t1 NO INHERIT t"),
        ("children", "TRUNCATE t2"),
        ("view", "TRUNCATE t1"),
        ("view of partitions", "ALTER TABLE b DETACH PARTITION t1"),
        ("view of a view", "ALTER TABLE t1 NO INHERIT b"),
        ("view of a view", "VACUUM FULL t2"),
        ("materialized", "REFRESH MATERIALIZED VIEW t"),
    ],
)
def test_what_a_snapshot_does_not_survive_is_seen_in_it(legacy, reader, kind, change):
    before, after = looked_at(legacy, reader, kind, change)
    assert before
    assert any(after.get(oid) != node for oid, node in before.items())


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("table", "DELETE FROM t; VACUUM t; CREATE INDEX i ON t (v); REINDEX TABLE t"),
        ("table", "ALTER TABLE t ADD COLUMN more integer DEFAULT 5"),
        ("partitions", "CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (20) TO (30)"),
        ("children", "CREATE TABLE t3 () INHERITS (t)"),
        ("children", "CREATE INDEX ON t1 (v); REINDEX TABLE t1"),
        ("view", "INSERT INTO t1 VALUES (1, 1); CREATE TABLE u (id integer)"),
        ("view of partitions", "CREATE TABLE t3 PARTITION OF b FOR VALUES FROM (20) TO (30)"),
    ],
)
def test_what_a_snapshot_survives_changes_nothing_of_it(legacy, reader, kind, change):
    before, after = looked_at(legacy, reader, kind, change)
    assert before.items() <= after.items()


@pytest.mark.parametrize("legacy", ["postgresql-15"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "change"), [("partitions", "ALTER TABLE t DETACH PARTITION t1"), ("view of a view", "TRUNCATE t2")]
)
def test_an_earlier_release_tells_the_same(legacy, reader, kind, change):
    before, after = looked_at(legacy, reader, kind, change)
    assert any(after.get(oid) != node for oid, node in before.items())


def test_odd_names_are_found_as_they_are_for_reading(legacy, reader):
    legacy.execute('CREATE TABLE "a {b}""%s" (id integer)')
    legacy.execute('CREATE VIEW "v {b}""%s" AS SELECT * FROM "a {b}""%s"')
    legacy.execute("CREATE TABLE u (id integer)")
    [(oid, node)] = reader.storage('"a {b}""%s"').items()
    assert reader.storage('public."v {b}""%s"') == {oid: node}
    assert len(reader.storage("public.U")) == 1


def test_a_foreign_table_lies_elsewhere_and_a_table_that_is_gone_nowhere(legacy):
    legacy.execute("CREATE EXTENSION file_fdw")
    legacy.execute("CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    legacy.execute("CREATE FOREIGN TABLE f (id integer) SERVER files OPTIONS (filename '/dev/null')")
    legacy.execute("CREATE TABLE t (id integer)")
    database = legacy.database()
    assert database.storage("f") is None
    assert database.storage("t")
    legacy.execute("DROP TABLE t")
    assert database.storage("t") == {}
    database.close()
