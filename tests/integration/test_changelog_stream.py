"""The stream below the reader: feedback, empty stretches, lost connections, and what the server refuses."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogPosition
from airflow_legacy_events.databases.postgres.changelog import stream, walsender
from airflow_legacy_events.databases.postgres.changelog.places import number_of, place_of
from airflow_legacy_events.databases.postgres.changelog.walsender import connect_replicating
from tests.support.change_log import PUBLICATION, changed_database, flat, only
from tests.support.databases import fresh_database
from tests.support.silence import Proxy

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, a text)"
FAR = 2**30


@pytest.fixture(params=["postgres18_logs", "postgres_logs"])
def database(request):
    with fresh_database(request.getfixturevalue(request.param)) as found:
        yield found


@pytest.fixture
def log(database):
    with changed_database(database, TABLE) as found:
        yield found


def far(log):
    return place_of(number_of(log.end()) + FAR)


def test_a_place_is_acknowledged_while_the_server_is_blocked_within_a_transaction(log):
    log.execute("INSERT INTO t SELECT i, repeat('x', 4000) FROM generate_series(1, 3000) i")
    with contextlib.closing(log.reader()) as reader:
        chunk = next(reader.read(log.begin, log.end(), 100))
        assert chunk.end.changes == 100
        with ThreadPoolExecutor(1) as other:
            other.submit(reader.acknowledge, chunk.end.place).result()
        log.until_confirmed(chunk.end.place)
    rest = flat(log.read(chunk.end))
    assert [row[1] for row in rest] == [str(number) for number in range(101, 3001)]
    whole = flat(log.read(LogPosition(chunk.end.place)))  # a place within it does not let the server drop it
    assert [row[1] for row in whole] == [str(number) for number in range(1, 3001)]


def test_what_is_acknowledged_before_the_stream_is_reported_when_it_starts(log):
    log.execute("INSERT INTO t VALUES (1)")
    chunk = only(log.read())
    assert log.confirmed() == log.begin.place
    told = []
    with contextlib.closing(log.reader(reported=told.append)) as reader:
        reader.acknowledge(chunk.end.place)
        assert told == []
        log.execute("INSERT INTO t VALUES (2)")
        assert flat(reader.read(chunk.end, log.end(), 10)) == [("c", "2", None)]
        log.until_confirmed(chunk.end.place)
        reader.acknowledge(chunk.end.place)
        [(pid,)] = log.execute(f"SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{log.slot}'")
        assert told == [pid]


def test_the_end_of_a_run_is_acknowledged_behind_its_last_chunk(log):
    log.execute("INSERT INTO t VALUES (1)")
    with contextlib.closing(log.reader()) as reader:
        chunk = only(reader.read(log.begin, log.end(), 10))
        reader.acknowledge(chunk.end.place)
    log.until_confirmed(chunk.end.place)


def test_a_stretch_without_our_rows_moves_on(log):
    log.execute(f"DROP PUBLICATION {PUBLICATION}; CREATE PUBLICATION {PUBLICATION} FOR TABLE t")
    log.execute("CREATE TABLE other AS SELECT i, repeat('x', 100) FROM generate_series(1, 10000) i")
    until = log.end()
    chunk = log.read()[-1]
    assert (chunk.parts, chunk.committed, chunk.final) == ([], 0, True)
    assert number_of(chunk.end.place) >= number_of(until)
    with contextlib.closing(log.reader()) as reader:
        chunks = reader.read(log.begin, far(log), 10)
        chunk = next(chunks)
        assert (chunk.parts, chunk.final, chunk.end.changes) == ([], False, 0)
        assert number_of(chunk.end.place) >= number_of(until)
        reader.acknowledge(chunk.end.place)
        log.until_confirmed(chunk.end.place)
        log.execute("INSERT INTO t VALUES (1)")
        assert flat([next(one for one in chunks if one.parts)]) == [("c", "1", None)]


def test_nothing_is_read_where_the_log_has_not_grown(log):
    position = LogPosition(log.end(), 7)
    with contextlib.closing(log.reader(connect=None)) as reader:
        [chunk] = reader.read(position, position.place, 10)
    assert (chunk.parts, chunk.end, chunk.final) == ((), position, True)


@contextlib.contextmanager
def waiting(reader, log):
    """A thread that waits for the log to grow."""
    reading = threading.Event()

    def read():
        for _ in reader.read(log.begin, far(log), 10):
            reading.set()

    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(read)
        log.execute("INSERT INTO t VALUES (1)")
        assert reading.wait(30)
        yield found


def test_closing_from_another_thread_ends_a_waiting_reader_and_frees_the_slot(log):
    with contextlib.closing(log.reader()) as reader, waiting(reader, log) as found:
        reader.close()
        with pytest.raises(SourceError, match="'legacy' was closed by its run while reading the change log"):
            found.result(30)
    log.until_free()
    reader.close()
    end = log.end()
    with pytest.raises(SourceError, match="was closed by its run"):
        next(reader.read(log.begin, end, 10))


def test_a_cut_connection_is_an_error_and_the_next_read_goes_on(log):
    with contextlib.closing(log.reader()) as reader:
        with waiting(reader, log) as found:
            log.execute(
                f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{log.slot}'"
            )
            with pytest.raises(SourceError, match=r"'legacy' failed while reading the change log: .*terminat"):
                found.result(30)
        reader.acknowledge(log.begin.place)
        assert flat(reader.read(log.begin, log.end(), 10)) == [("c", "1", None)]


def through_proxy(log, proxy):
    parts = {**conninfo_to_dict(log.database.dsn), "host": "127.0.0.1", "port": str(proxy.port)}
    return lambda: connect_replicating(parts)


@pytest.fixture
def proxy(log):
    parts = conninfo_to_dict(log.database.dsn)
    with contextlib.closing(Proxy(parts["host"], int(parts["port"]))) as found:
        yield found


@pytest.fixture
def looks_often(monkeypatch):
    """Let a silence count in short steps."""
    monkeypatch.setattr(stream, "_TICK_SECONDS", 0.05)


@pytest.mark.parametrize("database", ["postgres18_logs"], indirect=True)
def test_a_server_that_falls_silent_is_given_up(log, proxy, looks_often):
    options = {"connect": through_proxy(log, proxy), "timeout_seconds": 1}
    with (
        contextlib.closing(log.reader(**options)) as reader,
        waiting(reader, log) as found,
    ):
        proxy.silent.set()
        with pytest.raises(SourceError, match=r"sent nothing for 1 s while reading the change log, and did not answer"):
            found.result(30)


def test_a_slot_in_use_names_the_process_that_holds_it(log, monkeypatch):
    monkeypatch.setattr(walsender, "_OCCUPIED_SECONDS", 0)
    log.execute("INSERT INTO t VALUES (1)")
    with contextlib.closing(log.reader()) as reader:
        assert len(list(reader.read(log.begin, log.end(), 10))) == 1
        [(pid,)] = log.execute(f"SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{log.slot}'")
        with pytest.raises(SourceError, match=rf"^end the session that uses the .* PID {pid} \(SQLSTATE 55006\)"):
            log.read()
        other = log.reader()
        with waiting_for_slot(other, log, monkeypatch) as found:
            reader.close()
            assert flat(found.result(30)) == [("c", "1", None)]


@contextlib.contextmanager
def waiting_for_slot(reader, log, monkeypatch):
    """A thread that starts a stream of a slot in use."""
    monkeypatch.setattr(walsender, "_OCCUPIED_SECONDS", 30)
    with ThreadPoolExecutor(1) as thread, contextlib.closing(reader):
        yield thread.submit(lambda: list(reader.read(log.begin, log.end(), 10)))


def test_a_slot_that_is_gone_is_named(log):
    log.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(SourceError, match=r'replication slot "nowhere" does not exist'):
        log.read(slot="nowhere")


def test_a_publication_made_after_the_slot_is_an_error_not_a_gap(log):
    log.execute(f"DROP PUBLICATION {PUBLICATION}")
    log.execute("INSERT INTO t VALUES (1)")
    log.execute(f"CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES")
    with pytest.raises(
        SourceError, match=f'^drop the slot by `.*publication "{PUBLICATION}".* changes between'
    ) as found:
        log.read()
    assert not found.value.retry_helps
