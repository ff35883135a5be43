"""Partitions in PostgreSQL's change log: they are their root, though each has a form of its own there."""

import pytest

from airflow_legacy_events.core.model.log import LogRows, LogTruncate, TableName
from tests.support.change_log import changed_database, flat, only
from tests.support.databases import fresh_database


@pytest.fixture(params=["postgres18_logs", "postgres_logs"])
def database(request):
    with fresh_database(request.getfixturevalue(request.param)) as found:
        yield found


def partitioned(database):
    return changed_database(
        database,
        "CREATE TABLE p (id integer, region text, a text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);"
        "CREATE TABLE p_north PARTITION OF p FOR VALUES IN ('n');"
        "CREATE TABLE p_south (gone integer, a text, region text NOT NULL, id integer NOT NULL);"
        "ALTER TABLE p_south DROP COLUMN gone; ALTER TABLE p ATTACH PARTITION p_south FOR VALUES IN ('s')",
    )


def test_partitions_are_their_root_with_its_order_of_columns(database):
    root = TableName("public", "p")
    with partitioned(database) as log:
        log.transaction(
            "INSERT INTO p VALUES (1, 'n', 'a'), (2, 's', 'b')",
            "UPDATE p SET region = 's' WHERE id = 1",
            "TRUNCATE p_south",
            "INSERT INTO p VALUES (3, 's', 'c')",
            "TRUNCATE p",
        )
        leaves = {
            row[0] for row in log.execute("SELECT inhrelid::int8 FROM pg_inherits WHERE inhparent = 'p'::regclass")
        }
        chunks = log.read(root_of=lambda *_: root, leaves_of=lambda _: leaves, key=("id", "region"))
    parts = [part for chunk in chunks for part in chunk.parts]
    assert [type(part) for part in parts] == [LogRows, LogTruncate, LogRows, LogTruncate]
    assert len({id(part.form) for part in parts}) == 1
    assert parts[0].form.numbers == (1, 2, 3)
    assert flat(chunks[:1]) == [
        ("c", "1", "n", "a"),
        ("c", "2", "s", "b"),
        ("d", "1", "n", ...),
        ("c", "1", "s", "a"),
    ]
    assert [part.partial for part in parts if isinstance(part, LogTruncate)] == [True, False]


def test_a_partition_decides_what_its_old_rows_hold(database):
    with partitioned(database) as log:
        log.execute("ALTER TABLE p_north REPLICA IDENTITY FULL")
        log.transaction("INSERT INTO p VALUES (1, 'n', 'a'), (2, 's', 'b')", "DELETE FROM p")
        chunk = only(log.read(root_of=lambda *_: TableName("public", "p"), key=("id", "region")))
    assert [row for row in flat([chunk]) if row[0] == "d"] == [("d", "1", "n", "a"), ("d", "2", "s", ...)]


def test_old_rows_of_a_published_root_hold_only_what_can_be_trusted(database):
    with partitioned(database) as log:
        log.execute("ALTER PUBLICATION changes SET (publish_via_partition_root)")
        log.execute("ALTER TABLE p REPLICA IDENTITY FULL")
        log.transaction("INSERT INTO p VALUES (1, 'n', 'a')", "UPDATE p SET a = 'b'", "DELETE FROM p")
        held = ("id", "region")
        found = log.changes(held_of=lambda _: held, key=held)
    assert found == [("c", "1", "n", "a"), ("u", "1", "n", "b"), ("d", "1", "n", ...)]
