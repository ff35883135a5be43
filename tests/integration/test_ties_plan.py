"""What a page costs where many rows share the first columns of their position: no more than its rows, at any depth."""

from __future__ import annotations

import threading

import pytest

from airflow_legacy_events.core.model import Window
from airflow_legacy_events.databases.sqlite import database as sqlite_database
from tests.support.legacy import legacy_database

ROWS, PAGE = 20_000, 200
EARLY, LATE = 3, ROWS // PAGE - 3

WAYS = {
    "equal times": {"watermark_columns": ("at",)},
    "a window of them": {
        "watermark_columns": ("at",),
        "window": Window(None, "2026-01-01T00:00Z", "2026-01-02T00:00Z"),
    },
    "a full load, equal companies": {"watermark_columns": (), "key_columns": ("company", "id")},
    "no watermark": {"watermark_columns": ("changed",), "null_watermark": "always", "key_columns": ("company", "id")},
}


def filled(legacy) -> None:
    legacy.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL, company integer NOT NULL, changed timestamp)"
    )
    legacy.execute("CREATE INDEX t_at ON t (at, id)")
    legacy.execute("CREATE UNIQUE INDEX t_company ON t (company, id)")
    legacy.execute("CREATE INDEX t_changed ON t (changed, company, id)")


@pytest.fixture
def sqlite(request):
    with legacy_database(request, "sqlite") as found:
        filled(found)
        found.execute(
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
            " INSERT INTO t SELECT i, '2026-01-01 00:00:00', 1, NULL FROM n"
        )
        yield found


@pytest.fixture
def firebird(request):
    with legacy_database(request, "firebird") as found:
        filled(found)
        found.execute(
            f"EXECUTE BLOCK AS DECLARE i integer = 1; BEGIN WHILE (i <= {ROWS}) DO BEGIN"
            """ INSERT INTO t VALUES (:i, TIMESTAMP '2026-01-01 00:00:00', 1, NULL); i = i + 1; END END"""
        )
        yield found


def costs(legacy, work, window=None, **options) -> list[int]:
    """What `work`, a count that only grows, says of each page."""
    found = []
    with legacy.source(batch_rows=PAGE, **options) as source:
        opened = source.open(None, window)
        before = work(source)
        for _ in opened.batches:
            found.append(work(source) - before)
            before = work(source)
    return found


def firebird_reads(legacy):
    """Records that the other sessions took by an index or in the order of the table."""
    statement = (
        "SELECT SUM(s.mon$record_idx_reads + s.mon$record_seq_reads) FROM mon$attachments a"
        " JOIN mon$record_stats s ON s.mon$stat_id = a.mon$stat_id WHERE a.mon$attachment_id <> CURRENT_CONNECTION"
    )
    return lambda _: int(legacy.execute(statement)[0][0])


class Looks(threading.Event):
    """How often SQLite, at every so many steps, asks whether it should end."""

    count = 0

    def is_set(self) -> bool:
        self.count += 1
        return False


def sqlite_steps(monkeypatch):
    monkeypatch.setattr(sqlite_database, "_STEPS_BETWEEN_LOOKS", 50)
    looks = Looks()

    def work(source) -> int:
        source.database._closed = looks
        return looks.count

    return work


@pytest.mark.parametrize("way", WAYS)
def test_a_late_page_among_ties_costs_sqlite_no_more_than_an_early_one(sqlite, monkeypatch, way):
    found = costs(sqlite, sqlite_steps(monkeypatch), **WAYS[way])
    assert found[EARLY] > 10
    assert found[LATE] <= 2 * found[EARLY]


@pytest.mark.parametrize("way", WAYS)
def test_a_late_page_among_ties_costs_firebird_no_more_than_its_rows(firebird, way):
    found = costs(firebird, firebird_reads(firebird), **WAYS[way])
    assert PAGE <= found[EARLY] <= 2 * PAGE
    assert PAGE <= found[LATE] <= 2 * PAGE


def test_short_ties_cost_sqlite_no_walk_through_the_table_where_its_statistics_are_old(sqlite, monkeypatch):
    sqlite.execute("ANALYZE")
    later = f"datetime('2026-01-02', '+' || (id / {PAGE * 3 // 2}) || ' seconds')"
    sqlite.execute(f"INSERT INTO t SELECT id + {ROWS}, {later}, company, NULL FROM t")
    found = costs(sqlite, sqlite_steps(monkeypatch), watermark_columns=("at",))
    assert max(found[ROWS // PAGE + 1 :]) <= 5 * found[EARLY]
