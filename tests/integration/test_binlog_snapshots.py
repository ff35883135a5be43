"""Snapshots of MariaDB and MySQL that stand at one place of the binlog."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import LogGap
from airflow_legacy_events.databases.mysql.changelog import places, snapshot
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from tests.support.binlogs import BINLOGGED, binlogged_database

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(9))"
MARIADB = [name for name in BINLOGGED if name.startswith("mariadb")]


@pytest.fixture(params=BINLOGGED)
def logged(request):
    with binlogged_database(request, request.param, TABLE) as found:
        found.begin()
        yield found


def ids(log):
    rows = sa.select(sa.column("id")).select_from(log.tables[0].reflection.selectable).order_by(sa.column("id"))
    return [int(number) for (number,) in log.database.read(rows)]


def test_a_snapshot_has_what_committed_before_its_place_and_the_log_the_rest(logged):
    stop, written = threading.Event(), []

    def write():
        with logged.legacy.connect() as session:
            while not stop.is_set():
                session.execute("INSERT INTO orders VALUES (%s, 'x')", (len(written),))
                written.append(len(written))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            with logged.log() as log:
                log.open()
                with log.change_log.snapshot(log.tables) as taken:
                    before = [
                        int(row[0])
                        for chunk in log.change_log.read(logged.position, taken.place, 100_000)
                        for part in chunk.parts
                        if not isinstance(part, LogGap)  # by the end of an XA transaction of another test
                        for row in part.rows
                    ]
                    assert ids(log) == before
    finally:
        stop.set()
        writer.join()
    assert [int(row[1]) for row in logged.run()] == written


@pytest.mark.parametrize("logged", MARIADB, indirect=True)
def test_a_snapshot_is_taken_again_until_it_reaches_what_was_read(logged, monkeypatch):
    with logged.log() as log:
        log.open()
        change_log = log.change_log
        end = places.place_in(change_log.end())
        ahead = change_log._read_to = BinlogPlace(end.file, end.position + 300)
        rows = [f"INSERT INTO orders VALUES ({number}, 'x')" for number in range(3)]
        later = threading.Timer(0.2, lambda: logged.execute(*rows))
        later.start()
        with change_log.snapshot(log.tables) as taken:
            assert places.order(places.place_in(taken.place)) >= places.order(ahead)
        later.join()
        monkeypatch.setattr(snapshot, "PATIENCE_SECONDS", 0.0)
        change_log._read_to = BinlogPlace(end.file, end.position + 10**9)
        with pytest.raises(SourceError, match="a retry continues"), change_log.snapshot(log.tables):
            pass


def test_writers_wait_no_longer_than_a_snapshot_begins(logged):
    with logged.log() as log, logged.legacy.connect() as session:
        log.open()
        with log.change_log.snapshot(log.tables):
            session.execute("SET SESSION lock_wait_timeout = 1")
            session.execute("INSERT INTO orders VALUES (1, 'x')")
            assert ids(log) == []
    found = [row[:2] for row in logged.run()]
    assert [row for row in found if row[0] != "LogGap"] == [("c", "1")]  # others may have written statements
