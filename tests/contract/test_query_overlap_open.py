"""Overlap beside open transactions: a run reads as far above the horizon as the overlap reaches back."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager

import pytest

from airflow_legacy_events.sources.query.horizons import drain
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.overlapping import Stream

HOUR = dt.timedelta(hours=1)
TYPES = {"postgresql": "timestamptz DEFAULT now()", "mysql": "datetime(6) DEFAULT now(6)"}


@pytest.fixture(params=of("postgresql", "mysql"))
def stream(request):
    with reused_database(request, request.param) as legacy:
        legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, at {TYPES[legacy.dialect]} NOT NULL, v varchar(9))")
        yield Stream(legacy, overlap=HOUR, source_timezone="database")


@contextmanager
def writing(stream, monkeypatch):
    """An open transaction of the application that has inserted row 2, while runs wait for none."""
    writer = stream.legacy.connect()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(drain, "DRAIN_SECONDS", 0.0)
            writer.execute("BEGIN")
            insert(writer, 2)
            yield
        writer.execute("COMMIT")
    finally:
        writer.close()


def pause(stream):
    """Let the database's clock move on by more than a millisecond."""
    stream.legacy.execute("SELECT pg_sleep(0.02)" if stream.legacy.dialect == "postgresql" else "SELECT sleep(0.02)")


def insert(connection, number):
    connection.execute(f"INSERT INTO t (id, v) VALUES ({number}, 'a')")


@pytest.mark.clock_margin
def test_rows_are_read_at_once_and_those_of_an_open_transaction_once_it_ends(stream, monkeypatch):
    insert(stream.legacy, 1)
    assert stream.run().ids == [1]
    with writing(stream, monkeypatch):
        insert(stream.legacy, 3)
        ran = stream.run()
        assert (ran.ids, ran.horizon.held_back, ran.horizon.completeness) == ([3], None, "bounded")
        insert(stream.legacy, 4)
        assert stream.pending() == 1
        assert stream.run().ids == [4]
        assert stream.run().batches == []
    assert stream.pending() == 1
    assert stream.run().ids == [2]
    assert stream.run().batches == []


def test_an_overlap_that_does_not_reach_the_open_transaction_waits_for_it(stream, monkeypatch):
    insert(stream.legacy, 1)
    stream.run(overlap=dt.timedelta(milliseconds=1))
    with writing(stream, monkeypatch):
        pause(stream)
        insert(stream.legacy, 3)
        ran = stream.run(overlap=dt.timedelta(milliseconds=1))
        assert (ran.ids, ran.horizon.held_back.reason) == ([], "open_transaction")
        assert stream.pending(overlap=dt.timedelta(milliseconds=1)) == 0
    assert stream.run(overlap=dt.timedelta(milliseconds=1)).ids == [2, 3]


@pytest.mark.parametrize("overlap", [dt.timedelta(0), dt.timedelta(milliseconds=1)])
def test_a_shorter_overlap_still_reaches_back_to_what_was_final(stream, overlap, monkeypatch):
    insert(stream.legacy, 1)
    stream.run()
    with writing(stream, monkeypatch):
        pause(stream)
        insert(stream.legacy, 3)
        assert stream.run().ids == [3]
        assert stream.pending(overlap=overlap) == 0
        assert stream.run(overlap=overlap).batches == []
    assert stream.pending(overlap=overlap) == 1
    assert stream.run(overlap=overlap).ids == [2]
    insert(stream.legacy, 4)
    assert stream.run(overlap=overlap).ids == [4]
    insert(stream.legacy, 5)
    assert stream.run(overlap=overlap).ids == [5]
    assert ("seen" in stream.at.facts) == bool(overlap)
    assert stream.run(overlap=overlap).batches == []
