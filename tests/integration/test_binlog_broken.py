"""A stream of the binlog that breaks: the error says where, and a retry from there reads the rest, once."""

from __future__ import annotations

import secrets
import threading
from contextlib import closing

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from tests.services.base import wait_until
from tests.support import profile
from tests.support.binlog_dumps import dump_of, end_of, events_of, options_of, user_of
from tests.support.binlog_servers import SERVERS, binlog_server
from tests.support.databases import fresh_database
from tests.support.silence import proxy

PLAIN = {"ssl_mode": "DISABLED"}
LARGE = 120
"""Rows of 256 KiB: more than all buffers between server and reader hold."""


@pytest.fixture(params=SERVERS)
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def written(server):
    """A database, and where the log stood before 4 rows were written to it."""
    with fresh_database(server) as database:
        database.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)")
        place = end_of(server)
        for text in ("first", "needle", "third", "fourth"):
            database.execute(f"INSERT INTO t (v) VALUES ('{text}')")
        yield database, place


class Large:
    """A table that more was written to than buffers hold; `place` is where the log stood before."""

    def __init__(self, server, name):
        self.mark = f"<{name}>".encode()
        server.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)", name)
        self.place = end_of(server)
        for _ in range(LARGE):
            server.execute(f"INSERT INTO t (v) VALUES (REPEAT('<{name}>', {262144 // len(self.mark)}))", name)

    def rows(self, events):
        """How many of its rows came."""
        return sum(one.kind in codes.ROWS and 3 * self.mark in one.body for one in events)


@pytest.fixture
def large(server):
    with fresh_database(server) as database:
        yield Large(server, database.name)


def texts(events):
    """Which of the rows came."""
    rows = [one.body for one in events if one.kind in codes.ROWS]
    return [text for body in rows for text in (b"first", b"needle", b"third", b"fourth") if text in body]


def taken(events, into, then=lambda: None):
    """Take events until they end or break, and do something after each."""
    for one in events:
        into.append(one)
        then()


def up_to_the_needle():
    """What a connection passes that is cut in the middle of an event."""
    passing = [True]

    def passed(some):
        before, needle, _ = some.partition(b"needle") if passing[0] else (b"", b"", b"")
        passing[0] = passing[0] and not needle
        return before

    return passed


def test_a_changed_byte_is_found_by_its_checksum(server, written):
    at = options_of(server)
    with proxy(at["host"], at["port"]) as between:
        between.answered = lambda some: some.replace(b"needle", b"noodle")
        found = []
        with dump_of(server, port=between.port, **PLAIN) as dump, pytest.raises(SourceError) as caught:
            taken(dump.events(written[1]), found)
    assert texts(found) == [b"first"]
    where = f"{found[-1].file}:"
    assert "the checksum of an event is wrong" in str(caught.value)
    assert where in str(caught.value)


def test_a_broken_connection_says_where_and_a_retry_reads_the_rest(server, written):
    at = options_of(server)
    found = []
    with proxy(at["host"], at["port"]) as between, dump_of(server, port=between.port, **PLAIN) as dump:
        between.answered = up_to_the_needle()
        with pytest.raises(SourceError) as caught:
            taken(dump.events(written[1]), found, lambda: between.close() if texts(found) else None)
    reached = BinlogPlace(found[-1].file, found[-1].end)
    assert f"at {reached.file}:{reached.position}; a retry continues" in str(caught.value)
    assert caught.value.retry_helps
    rest = events_of(server, reached)
    assert texts(found + rest) == [b"first", b"needle", b"third", b"fourth"]


def test_an_event_that_breaks_off_is_not_counted_as_read(server, large):
    at, found, sizes = options_of(server), [], []

    def passed(some):
        """Two events and most of the third one."""
        left = max(0, 760_000 - sum(sizes))
        sizes.append(len(some))
        return some[:left]

    with proxy(at["host"], at["port"]) as between, dump_of(server, port=between.port, **PLAIN) as dump:
        between.answered = passed
        with pytest.raises(SourceError) as caught:
            taken(dump.events(large.place), found, lambda: between.close() if large.rows(found) == 2 else None)
    assert large.rows(found) == 2
    assert f"at {found[-1].file}:{found[-1].end}; a retry continues" in str(caught.value)


def test_a_server_that_falls_silent_is_not_waited_for_without_end(server, large):
    at = options_of(server)
    with proxy(at["host"], at["port"]) as between:
        options = options_of(server, port=between.port)
        with closing(BinlogDump("crm", options, 0.5)) as dump:
            events = dump.events(large.place)
            next(events)
            between.silent.set()
            with pytest.raises(SourceError, match=r"sent nothing for too long .*a retry continues"):
                taken(events, [])


def test_a_reader_that_waits_is_ended_from_another_thread(server, large):
    at = options_of(server)
    with proxy(at["host"], at["port"]) as between, dump_of(server, port=between.port) as dump:
        events = dump.events(large.place)
        next(events)
        between.silent.set()
        threading.Timer(0.2, dump.close).start()
        with pytest.raises(SourceError, match="closed by its run"):
            taken(events, [])
        with pytest.raises(SourceError, match="closed by its run"):
            next(dump.events(large.place))


def test_a_stream_that_is_left_ends_its_session(server, large):
    with (
        user_of(server, "IDENTIFIED BY 'secret'", "REPLICATION SLAVE") as user,
        dump_of(server, user=user, passwd="secret") as dump,
    ):
        events = dump.events(large.place)
        next(events)
        assert sessions(server, user) == ["Binlog Dump"]
        events.close()
        wait_until(lambda: not sessions(server, user), "the end of the session")


def sessions(server, user):
    return [row[4] for row in server.execute("SHOW PROCESSLIST") if row[1] == user]


def test_another_replica_with_our_id_takes_our_place_once(request, monkeypatch):
    """Users that may not see the replicas of a server can't know which IDs are in use."""
    server = request.getfixturevalue("mariadb_logs")
    drawn = []
    monkeypatch.setattr(secrets, "randbelow", lambda _: drawn.append(max(1, len(drawn))) or drawn[-1])
    with fresh_database(server) as database, user_of(server, "IDENTIFIED BY 'secret'", "REPLICATION SLAVE") as user:
        large, login = Large(server, database.name), {"user": user, "passwd": "secret"}
        with dump_of(server, **login) as ours, dump_of(server, **login) as other:
            events = ours.events(large.place)
            found = [next(events)]
            later = threading.Thread(target=next, args=(other.events(large.place),))
            later.start()  # the server lets it begin once the elder one is ended
            wait_until(lambda: "Killed" in str(server.execute("SHOW PROCESSLIST")), "the end of the elder stream")
            found += events
            later.join()
    assert drawn == [1, 1, 2]
    assert large.rows(found) == LARGE
    assert [one.end for one in found[:-1]] == [other.start for other in found[1:]]


def test_a_killed_server_is_an_error_and_its_log_is_read_on_once_it_is_back():
    with binlog_server("mariadb_logs") as server, fresh_database(server) as database:
        large, found = Large(server, database.name), []
        with dump_of(server) as dump:
            events = dump.events(large.place)
            found.append(next(events))
            server.kill()
            with pytest.raises(SourceError, match="a retry continues"):
                taken(events, found)
        server.restart()
        rest = events_of(server, BinlogPlace(found[-1].file, found[-1].end))
        assert large.rows(found) < large.rows(found + rest) == LARGE


def test_a_reader_that_is_slow_is_waited_for(server, large):
    """By default a server waits for a minute until some of what it sent was taken."""
    seconds, options = (65, {}) if profile.LONG else (1.5, {"init_command": "SET SESSION net_write_timeout = 1"})
    with dump_of(server, **options) as dump:
        events = dump.events(large.place)
        first = next(events)
        threading.Event().wait(seconds)
        assert large.rows([first, *events]) == LARGE
