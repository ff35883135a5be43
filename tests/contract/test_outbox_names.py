"""Names of tables and columns that need quotes, in all that a drain reads and writes, on every database."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.support import outbox_tables
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.outbox_tables import MOMENT, drain, named
from tests.support.profile import LONG

NAMES = ["a:b", "%(x)s", "it's", 'quo"te', "back`tick"]
MORE = ["select", "50%", "Käse x", "{b}", "?"]
ROLES = ("id", "aggregate_type", "aggregate_id", "event_type", "payload", "timestamp")


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def test_any_name_serves_as_table_column_and_mark(legacy):
    for name in [*NAMES, *(MORE if LONG else ())]:
        serve(legacy, name)


def serve(legacy, name):
    """Mark and delete the rows of a table that is called so."""
    columns = {role: f"{name} {role}" for role in ROLES}
    columns["timestamp"] = name
    table, mark = legacy.quoted(name), f"{name} mark"
    q = {role: legacy.quoted(column) for role, column in columns.items()}
    moment = MOMENT[legacy.dialect]
    legacy.execute(
        f"CREATE TABLE {table} ({q['id']} varchar(9) NOT NULL PRIMARY KEY, {q['aggregate_type']} varchar(9),"
        f" {q['aggregate_id']} varchar(9), {q['event_type']} varchar(9), {q['payload']} varchar(9),"
        f" {q['timestamp']} {moment} NOT NULL, {legacy.quoted(mark)} {moment})"
    )
    for number in (2, 1):
        legacy.execute(
            f"INSERT INTO {table} VALUES ('r{number}', 'a', 'b', 'c', 'd', '2026-11-01 08:00:0{number}', NULL)"
        )
    options = {"table": '"' + name.replace('"', '""') + '"', "columns": columns, "message_names": (name,)}
    marks = {"after_publish": "mark", "mark_column": mark, "retention": dt.timedelta(hours=1)}

    marked, at = drain(legacy, batch_rows=1, **options, **marks)
    again, _ = drain(legacy, at, **options, **marks)
    left = [id_.strip() for (id_,) in legacy.execute(f"SELECT {q['id']} FROM {table}")]
    with outbox_tables.source(legacy, **options) as one, outbox_tables.lease(legacy, options["table"]) as held:
        [batch] = one.open(None).batches
        one.acknowledge(batch.after.receipt, held)
        assert one.finish(held, lambda: False).rows == 0

    assert [row[columns["id"]] for row in marked] == ["r1", "r2"]
    assert (again, sorted(left), len(named(batch))) == ([], ["r1", "r2"], 2)
    assert legacy.execute(f"SELECT {q['id']} FROM {table}") == []


WORDS = {
    "id": "rowid",
    "aggregate_type": "user",
    "aggregate_id": "session_user",
    "event_type": "localtime",
    "payload": "current_user",
    "timestamp": "current_date",
}


def test_functions_without_brackets_serve_as_columns_and_mark(legacy):
    q, moment = {role: legacy.quoted(name) for role, name in WORDS.items()}, MOMENT[legacy.dialect]
    table, mark = legacy.quoted("out.order"), "current_timestamp"
    legacy.execute(
        f"CREATE TABLE {table} ({q['id']} bigint NOT NULL PRIMARY KEY, {q['aggregate_type']} varchar(9),"
        f" {q['aggregate_id']} varchar(9), {q['event_type']} varchar(9), {q['payload']} varchar(9),"
        f" {q['timestamp']} {moment} NOT NULL, {legacy.quoted(mark)} {moment})"
    )
    for number in (2, 1):
        legacy.execute(
            f"INSERT INTO {table} VALUES ({number}, 'a', 'b', 'c', 'd{number}', '2026-11-01 08:00:00', NULL)"
        )
    options = {"table": "out.order", "columns": WORDS}

    marked, at = drain(legacy, batch_rows=1, **options, after_publish="mark", mark_column=mark)
    again, _ = drain(legacy, at, **options, after_publish="mark", mark_column=mark)
    sent, _ = drain(legacy, **options)

    assert [(str(row["user"]), str(row["current_user"])) for row in marked] == [("a", "d1"), ("a", "d2")]
    assert (again, len(sent)) == ([], 2)
    assert legacy.execute(f"SELECT {q['id']} FROM {table}") == []
