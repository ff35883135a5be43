"""The change log of a server of its own: it is read over TLS, stands still, and is shut down."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.postgres.changelog import stream
from airflow_legacy_events.databases.postgres.changelog.places import number_of, place_of
from airflow_legacy_events.databases.postgres.changelog.walsender import connect_replicating
from tests.services.base import wait_until
from tests.services.postgres import Postgres
from tests.support.certificates import Authority
from tests.support.change_log import ChangedDatabase, changed_database, flat
from tests.support.databases import Database, fresh_database
from tests.support.standby import restartable

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, a text)"


@pytest.fixture(scope="module")
def server():
    with restartable(Postgres) as found:
        yield found


def beyond(log):
    """A place that the log does not reach."""
    return place_of(number_of(log.begin.place) + 2**30)


def with_tls(server, folder):
    """Let a server speak TLS."""
    owner, paths = server.data.stat(), [folder / "server.crt", folder / "server.key"]
    Authority(folder, "authority").sign(*paths, "127.0.0.1")
    for path in paths:
        there = server.data / path.name
        there.write_bytes(path.read_bytes())
        there.chmod(0o600)
        os.chown(there, owner.st_uid, owner.st_gid)
    server.execute("ALTER SYSTEM SET ssl = on")
    server.execute("SELECT pg_reload_conf()")
    wait_until(lambda: server.execute("SHOW ssl") == [("on",)], "TLS")


def test_small_and_large_rows_come_over_tls(server, tmp_path):
    with_tls(server, tmp_path)
    with fresh_database(server) as database, changed_database(database, TABLE) as log:
        log.execute("INSERT INTO t SELECT i, 'é' FROM generate_series(1, 3000) i")
        log.execute("INSERT INTO t SELECT 3000 + i, repeat('x', 300000) FROM generate_series(1, 5) i")
        options = {**conninfo_to_dict(log.database.dsn), "sslmode": "require"}
        rows = flat(log.read(connect=lambda: connect_replicating(options)))
    assert [row[1] for row in rows] == [str(number) for number in range(1, 3006)]
    assert {row[2] for row in rows[:3000]} == {"é"}
    assert {row[2] for row in rows[3000:]} == {"x" * 300_000}


def test_a_server_that_holds_its_log_back_is_told_from_a_frozen_one(server, monkeypatch):
    monkeypatch.setattr(stream, "_TICK_SECONDS", 0.05)
    with (
        fresh_database(server) as database,
        changed_database(database, TABLE) as log,
        contextlib.closing(log.reader(timeout_seconds=1)) as reader,
        pytest.raises(SourceError, match=r"^look at synchronized_standby_slots: .*'legacy' answered for 1 s"),
    ):
        list(reader.read(log.begin, beyond(log), 10))


def test_a_reader_that_waits_does_not_hold_up_the_shutdown_of_its_server(server):
    server.execute("CREATE DATABASE held")
    log = ChangedDatabase(Database(server, "held"), "held")
    log.execute("CREATE TABLE t (id integer PRIMARY KEY); CREATE PUBLICATION changes FOR TABLE t")
    log.make_slot()
    reading = threading.Event()

    def read(reader):
        reader.acknowledge(log.begin.place)
        for _ in reader.read(log.begin, beyond(log), 10):
            reading.set()

    with contextlib.closing(log.reader()) as reader, ThreadPoolExecutor(1) as thread:
        found = thread.submit(read, reader)
        log.execute("INSERT INTO t VALUES (1)")
        assert reading.wait(30)
        server.end()
        with pytest.raises(SourceError, match="'legacy' leads to a server that is shutting down"):
            found.result(30)
