"""All that a run sends, and all that an outbox acknowledges by: no name in it is left to the search_path."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases.postgres import lock
from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.row_versions import _BLOCKER
from airflow_legacy_events.databases.postgres.statement import Statement
from airflow_legacy_events.databases.postgres.writers import statements
from airflow_legacy_events.databases.postgres.writers.served import NOW
from airflow_legacy_events.databases.postgres.written import STATEMENTS
from tests.support.engines import of
from tests.support.legacy import reused_database, rows
from tests.support.unqualified import unqualified

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
OWN = {"t", "v", '"t"', '"v"'}
TREES = {"tree", "written", "locks", "prepared", "found", "recursive"}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        found.execute(
            "CREATE TABLE t (at timestamptz NOT NULL, id bigint PRIMARY KEY, name varchar(9), doc jsonb, mood mood,"
            " day date NOT NULL DEFAULT '2026-01-01', done boolean)"
        )
        found.execute(
            "INSERT INTO t SELECT now() - interval '1 day', n, 'x', '{}', 'sad' FROM generate_series(1, 20) n"
        )
        found.execute("CREATE VIEW v AS SELECT * FROM t")
        yield found


@pytest.fixture
def sent(monkeypatch):
    """The text of every statement around rows: pages, counts, acknowledgements."""
    seen = []
    execute, begin = psycopg.RawCursor.execute, Statement.__init__

    def executed(self, query, params=None, **named):
        seen.append(query.decode())
        return execute(self, query, params, **named)

    def begun(self, cursor, text, parameters):
        seen.append(text)
        begin(self, cursor, text, parameters)

    monkeypatch.setattr(psycopg.RawCursor, "execute", executed)
    monkeypatch.setattr(Statement, "__init__", begun)
    return seen


@pytest.mark.parametrize(
    "options",
    [
        {"watermark_columns": ("at",), "lag": dt.timedelta(0), "source_timezone": "Europe/Berlin"},
        {"watermark_columns": ("day",), "lag": dt.timedelta(0), "source_timezone": "Europe/Berlin"},
        {"watermark_columns": ("name",), "null_watermark": "always", "batch_rows": 5},
        {"watermark_columns": ("mood", "id"), "batch_rows": 5, "null_watermark": "skip"},
        {"watermark_columns": (), "batch_rows": 5},
        {"table": "v", "watermark_columns": ("id",), "key_columns": ("id",)},
        {"table": None, "sql": "SELECT id, doc FROM t", "watermark_columns": ("id",), "key_columns": ("id",)},
    ],
    ids=lambda options: "-".join(map(str, options["watermark_columns"])) or "bulk",
)
def test_pages_leave_no_name_to_the_path(legacy, sent, options):
    found, at = rows(legacy, **{**options, **({"max_rows": 15} if options["watermark_columns"] else {})})
    rows(legacy, at, **options)
    assert len(found) in (15, 20)
    assert [one for text in sent for one in unqualified(text.replace(str(options.get("sql")), "t"), OWN)] == []


def test_looks_for_writers_leave_no_name_to_the_path():
    table = table_of("t")
    parts = [statements.CLOCK, statements.FRESH, NOW, STATEMENTS, _BLOCKER, statements.OLDEST]
    for over in (table, None):
        parts += [statements.writing(over), statements.untimed(over, follow=True), statements.still_open(over, [7])]
    texts = [one if isinstance(one, str) else one.as_string() for one in parts]
    assert [one for text in texts for one in unqualified(text, OWN | TREES)] == []


def test_acknowledgements_leave_no_name_to_the_path(legacy, sent):
    database = legacy.database()
    found = database.reflect("t", None)
    at, key, name = found.columns[:3]
    table = sa.table("t", sa.column("at"), sa.column("day"))
    row, many = [["1"], ["2"]], [["1"], ["2"], ["9"]]
    conditions = [
        database.unchanged([key], row, [1, 1]),
        database.unchanged([key], many, [1, 2, 3]),
        database.unchanged([key, name], [["1", "x"]], [1]),
        database.among([sa.column("id")], row),
        database.among([sa.column("id"), sa.column("name")], [["1", "x"]]),
        database.equal(sa.column("id"), "1"),
    ]
    marks = {"at": database.marking(at), "day": database.marking(at._replace(kind="date", type="date"))}
    with database.lock("s", HOLDER) as lease:
        for condition in conditions:
            lease.execute([sa.update(table).where(condition).values(marks), sa.delete(table).where(condition)])
    database.close()
    assert sent
    assert [one for text in sent for one in unqualified(text, OWN)] == []


def test_the_question_who_holds_a_lock_leaves_no_name_to_the_path():
    assert unqualified(lock._WHO, OWN) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT a FROM t WHERE a > $1", "operator >"),
        ("SELECT length(a) FROM t", "function length"),
        ("SELECT a::text FROM t", "type text"),
        ("SELECT a FROM other", "table other"),
        ("SELECT a FROM t WHERE a IN ($1, $2)", "word IN"),
        ("SELECT pg_catalog.now() - $1", "operator -"),
        ("SELECT a FROM t WHERE a OPERATOR(pg_catalog.>) pg_catalog.lower($1)", None),
    ],
)
def test_what_is_looked_up_along_the_path_is_found(text, found):
    assert [one.partition(" in ")[0] for one in unqualified(text, OWN)] == ([] if found is None else [found])
