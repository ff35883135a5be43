"""The binlog of a real server comes whole, in order and checked, up to its end, and no further than asked for."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog import dump_commands
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import place_in
from tests.support import profile
from tests.support.binlog_dumps import dump_of, end_of, events_of
from tests.support.binlog_servers import SERVERS
from tests.support.databases import fresh_database

ROWS = 600_000 if profile.LONG else 30_000


@pytest.fixture(params=SERVERS)
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def database(server):
    with fresh_database(server) as found:
        found.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200)) ENGINE=InnoDB")
        yield found


def filling(rows):
    digits = " UNION ALL SELECT ".join("0123456789")
    tables = ", ".join(f"(SELECT {digits}) t{number}" for number in range(6))
    return f"INSERT INTO t (v) SELECT SHA2(RAND(), 512) FROM {tables} LIMIT {rows}"


def of(database, events):
    """Those whose body names a database."""
    return [one for one in events if database.name.encode() in one.body]


def test_events_lie_one_behind_the_other_over_files(database, server):
    place = end_of(server)
    database.execute("INSERT INTO t (v) VALUES ('one')")
    server.execute("FLUSH LOGS")
    database.execute("INSERT INTO t (v) VALUES ('two')")
    events = events_of(server, place)
    assert [one.kind for one in of(database, events)].count(codes.TABLE_MAP) == 2
    assert len({one.file for one in events}) > 1
    assert (events[0].file, events[0].start) == place
    for one, other in itertools.pairwise(events):
        follows = other.start == one.end if other.file == one.file else (one.kind, other.start) == (codes.ROTATE, 4)
        assert follows, (one, other)


def test_a_stream_begins_at_any_event_and_ends_at_the_end(database, server):
    place = end_of(server)
    database.execute("INSERT INTO t (v) VALUES ('one')")
    events = events_of(server, place)
    for number, one in enumerate(events[:6]):
        assert events_of(server, BinlogPlace(one.file, one.start))[: len(events) - number] == events[number:]
    assert of(database, events_of(server, end_of(server))) == []


@pytest.mark.parametrize("name", SERVERS)
def test_positions_behind_the_reach_of_the_command_are_reached_otherwise(request, name, monkeypatch):
    server = request.getfixturevalue(name)
    with fresh_database(server) as database:
        database.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        server.execute("FLUSH LOGS")
        database.execute("INSERT INTO t VALUES (1)")
        place = end_of(server)
        database.execute("INSERT INTO t VALUES (2)")
        expected = events_of(server, place)
        monkeypatch.setattr(dump_commands, "FARTHEST", 10)
        assert events_of(server, place)[: len(expected)] == expected


def test_a_log_without_checksums_is_read(database, server):
    server.execute("SET GLOBAL binlog_checksum = NONE")
    try:
        place = end_of(server)
        database.execute("INSERT INTO t (v) VALUES ('one')")
        events = events_of(server, place)
    finally:
        server.execute("SET GLOBAL binlog_checksum = CRC32")
    database.execute("INSERT INTO t (v) VALUES ('two')")
    assert of(database, events)
    again = events_of(server, place)
    assert again[: len(events)] == events
    assert len(of(database, again)) > len(of(database, events))


def test_a_compressed_transaction_is_opened_while_it_comes(request):
    server = request.getfixturevalue("mysql9_logs")
    with fresh_database(server) as database:
        database.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))")
        place = end_of(server)
        database.execute("SET SESSION binlog_transaction_compression = ON; " + filling(ROWS))
        tracemalloc.start()
        try:
            with dump_of(server) as dump:
                rows = sum(one.nested and one.kind in codes.ROWS for one in dump.events(place))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert rows > ROWS / 500
        assert peak < 4 * 2**20


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("binlog.999998:4", "no longer has binlog.999998:4"),
        ("{}:2147483648", "ends before {}:2147483648"),
        ("{}:30", "{}"),
    ],
    ids=["gone", "beyond", "inside"],
)
def test_a_place_that_is_not_there_is_an_error_with_it(server, place, said):
    file = end_of(server).file
    with pytest.raises(SourceError, match=said.format(file)):
        events_of(server, place_in(place.format(file)))
