"""What a run that a budget ended says of the rows that it left."""

from __future__ import annotations

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core import report as core_report
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import LEFT_ROWS
from airflow_legacy_events.sources.query import incremental
from airflow_legacy_events.sources.rows import Rows
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.streams import Deliveries


@pytest.fixture(params=of())
def table(request):
    with legacy_database(request, request.param) as legacy:
        legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY, at timestamp)")
        for number in range(1, 10):
            moment = "NULL" if number == 9 else f"'2026-11-01 08:00:0{number // 3}'"
            legacy.execute(f"INSERT INTO orders VALUES ({number}, {moment})")
        yield legacy


@pytest.fixture
def counted(monkeypatch):
    """Every question for a number of rows."""
    asked, count = [], Rows.count

    def counting(rows, *arguments):
        asked.append(arguments)
        return count(rows, *arguments)

    monkeypatch.setattr(Rows, "count", counting)
    return asked


def deliveries(table, **options):
    url = table.url.render_as_string(hide_password=False)
    return Deliveries(url, MemoryBroker(), "orders", table="orders", options={"watermark_columns": ("id",), **options})


@pytest.mark.parametrize(
    ("options", "max_rows", "left"),
    [
        ({}, 4, 5),
        ({"watermark_columns": ("at",), "null_watermark": "skip"}, 2, 6),
        ({"first_run": 3}, 6, 1),
    ],
    ids=["ids", "times with ties", "a first value"],
)
def test_a_run_that_max_rows_ended_says_how_many_are_left(table, counted, options, max_rows, left):
    stream = deliveries(table, **options)

    report = stream.run(batch_rows=2, max_rows=max_rows)

    assert (report.rows, report.target_reached, report.rows_left) == (max_rows, False, left)
    assert f"target not reached, {left} rows left; " in str(report)
    assert len(counted) == 1
    assert stream.run().rows == left


def test_one_that_max_seconds_ended_too(table):
    report = deliveries(table).run(batch_rows=2, max_seconds=1e-9)

    assert (report.rows, report.rows_left) == (2, 7)


def test_a_run_that_came_to_its_target_asks_nothing(table, counted):
    stream = deliveries(table)

    assert [stream.run(max_rows=9).rows_left, stream.run(max_rows=9).rows_left] == [None, None]
    assert counted == []


def test_rows_that_are_gone_are_not_counted(table):
    stream = deliveries(table)
    stream.run(max_rows=3)
    table.execute("DELETE FROM orders WHERE id > 5")

    report = stream.run(batch_rows=1, max_rows=1)

    assert (report.rows, report.rows_left) == (1, 1)


def test_counting_ends(table, monkeypatch):
    monkeypatch.setattr(incremental, "LEFT_ROWS", 3)
    monkeypatch.setattr(core_report, "LEFT_ROWS", 3)

    report = deliveries(table).run(batch_rows=1, max_rows=1)

    assert "target not reached, at least 3 rows left; " in str(report)
    assert LEFT_ROWS == 10_000


def test_a_count_that_fails_fails_nothing(table, monkeypatch, caplog):
    def refused(*_):
        raise SourceError("connection 'legacy' failed while reading: gone")

    monkeypatch.setattr(Rows, "count", refused)

    report = deliveries(table).run(batch_rows=2, max_rows=4)

    assert (report.rows, report.rows_left, report.watermark_to) == (4, None, ["4"])
    assert "the rows that are left could not be counted: connection 'legacy' failed" in caplog.text
