"""Partitioned tables in PostgreSQL's change log: leaves go by their root, and what no log tells is said."""

from __future__ import annotations

import contextlib
import re

import psycopg
import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import LogRows, LogTruncate, TableName
from tests.support.engines import of
from tests.support.slots import logged_database

DAYS = (
    "CREATE TABLE days (id integer, t text, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
    "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id)",
    "CREATE TABLE days_2a PARTITION OF days_2 FOR VALUES FROM (10) TO (15)",
)
NAME = TableName("public", "days")
DETACH = "ALTER TABLE days DETACH PARTITION days_1"


@pytest.fixture(params=of("postgresql"))
def days(request):
    with logged_database(request, request.param, *DAYS) as found:
        found.begin()
        yield found


def chunks(days):
    with days.log() as log:
        log.open()
        found = list(log.change_log.read(days.position, log.change_log.end(), 100))
        return [part for chunk in found for part in chunk.parts]


def untold(days):
    with days.log() as log:
        log.look()
        return dict(log.change_log.untold(days.stored))


def test_changes_of_leaves_come_under_their_root_and_a_move_is_a_delete_and_an_insert(days):
    days.execute("INSERT INTO days VALUES (1, 'a')", "UPDATE days SET id = 11")
    days.execute(
        "CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (30) TO (40)", "INSERT INTO days VALUES (31, 'c')"
    )
    found = chunks(days)
    assert {part.form.table for part in found} == {NAME}
    rows = [(op, row[0]) for part in found for op, row in zip(part.ops, part.rows, strict=True)]
    assert rows == [("c", "1"), ("d", "1"), ("c", "11"), ("c", "31")]
    assert untold(days) == {}


def test_a_truncated_leaf_is_a_partial_truncation_and_a_truncated_root_is_a_whole_one(days):
    days.execute("TRUNCATE days_1", "TRUNCATE days")
    found = chunks(days)
    assert [(type(part), part.form.table, part.partial) for part in found] == [
        (LogTruncate, NAME, True),
        (LogTruncate, NAME, False),
    ]


def test_a_leaf_with_another_identity_than_its_root_decides_for_itself(days):
    days.execute("ALTER TABLE days REPLICA IDENTITY FULL", "INSERT INTO days VALUES (1, 'a')", "DELETE FROM days")
    [part] = chunks(days)
    assert isinstance(part, LogRows)
    assert [row[:2] for row in part.rows] == [("1", "a"), ("1", ABSENT)]


def test_old_images_of_a_publication_by_root_count_as_the_key_once_a_leaf_differs(request):
    with logged_database(request, "postgresql-18", *DAYS) as days:
        days.execute("ALTER TABLE days REPLICA IDENTITY FULL")
        days.execute(f"CREATE PUBLICATION {days.name} FOR TABLE days WITH (publish_via_partition_root = true)")
        days.given = True
        days.begin()
        days.execute("INSERT INTO days VALUES (1, 'a')", "DELETE FROM days")
        [part] = chunks(days)
        assert [row[:2] for row in part.rows] == [("1", "a"), ("1", ABSENT)]


def test_a_given_publication_by_root_is_warned_of(days, caplog):
    days.execute(f"ALTER PUBLICATION {days.name} SET (publish_via_partition_root = true)")
    days.given, days.stored, days.position = True, {}, None
    days.begin()
    assert [one for one in caplog.messages if "has publish_via_partition_root" in one]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TABLE new (id integer PRIMARY KEY, t text)", "{attach}"], ()),
        (
            ["CREATE TABLE new (id integer PRIMARY KEY, t text)", "INSERT INTO new VALUES (25)", "{attach}"],
            ("partition public.new was attached with rows",),
        ),
        (
            ["CREATE TABLE new (id integer PRIMARY KEY, t text); INSERT INTO new VALUES (25); {attach}"],
            ("partition public.new was attached with rows",),
        ),
        (["CREATE TABLE new PARTITION OF days FOR VALUES FROM (20) TO (30)", "INSERT INTO days VALUES (25)"], ()),
        (
            ["INSERT INTO days VALUES (1)", "ALTER TABLE days DETACH PARTITION days_1"],
            ("partition public.days_1 was detached",),
        ),
        (["ALTER TABLE days DETACH PARTITION days_1"], ()),
        (["DROP TABLE days_1"], ("a partition was dropped",)),
    ],
    ids=["attached empty", "attached", "attached at once", "created", "detached", "detached empty", "dropped"],
)
def test_a_partition_that_came_or_went_with_rows_is_said(days, statements, said):
    attach = "ALTER TABLE days ATTACH PARTITION new FOR VALUES FROM (20) TO (30)"
    days.execute(*(one.format(attach=attach) for one in statements))
    assert untold(days) == ({NAME: list(said)} if said else {})


def test_a_leaf_that_came_and_went_belongs_to_the_only_partitioned_table(days):
    days.execute("CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (30) TO (40)", "INSERT INTO days VALUES (31)")
    days.execute("ALTER TABLE days DETACH PARTITION days_3", "DROP TABLE days_3")
    assert [part.form.table for part in chunks(days)] == [NAME]


def test_a_leaf_that_came_and_went_between_several_tables_is_an_error_that_names_them(days):
    days.execute("CREATE TABLE weeks (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    with days.log() as log:
        log.open()
        log.change_log.join([one for one in log.tables if one.name.name == "weeks"])
        days.stored = log.change_log.facts()
    days.execute("CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (30) TO (40)", "INSERT INTO days VALUES (31)")
    days.execute("ALTER TABLE days DETACH PARTITION days_3", "DROP TABLE days_3")
    with pytest.raises(SourceError, match=re.escape('"snapshot": ["public.days", "public.weeks"]')):
        chunks(days)
    renewed = [NAME, TableName("public", "weeks")]
    assert days.run(renewed) == [("c", "31", None)]


def test_no_leaf_is_emptied_while_a_snapshot_is_held(days):
    with contextlib.closing(days.legacy.connect()) as other, days.log() as log:
        log.look()
        with log.change_log.snapshot(log.tables):
            other.execute("SET lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("TRUNCATE days_2a")
        other.execute("TRUNCATE days_2a")
