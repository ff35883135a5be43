"""Binlogs of servers that were started again, killed, reset or set otherwise: nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from tests.support.binlog_servers import SERVERS, binlog_server
from tests.support.binlog_stream import binlog_stream

NAMES = [one for one in SERVERS if one != "mysql56_logs"]
"""MySQL 5.6 forgets prepared transactions when their session ends, and compresses nothing."""

MARIADBS = [one for one in NAMES if one.startswith("mariadb")]
MEGABYTES = 120


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[str], Any]]:
    """Gives a server of this module's own by its name."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda name: stack.enter_context(binlog_server(name)))


def again(server: Any) -> None:
    server.end()
    server.restart()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_restart_leaves_prepared_and_empties_is_as_in_the_tables(server: Any, name: str) -> None:
    found = server(name)
    kept = "CREATE TABLE kept (id INT PRIMARY KEY, v INT) ENGINE=MEMORY"
    with binlog_stream(found, kept, tables=["orders", "kept"]) as stream:
        stream.execute("XA START 'a'", "INSERT INTO orders VALUES (1, 1), (2, 2)", "XA END 'a'", "XA PREPARE 'a'")
        stream.execute("FLUSH BINARY LOGS", "INSERT INTO kept VALUES (3, 3)")
        assert stream.changes() == [("c", "3", "3")]
        again(found)
        stream.execute("INSERT INTO kept VALUES (4, 4)")
        assert stream.changes() == [("t",), ("c", "4", "4")]
        stream.execute("XA COMMIT 'a'")
        assert stream.changes(rows=1, most=1) == [("c", "1", "1")]
        assert stream.changes(rows=1) == [("c", "2", "2")]
        assert stream.facts["prepared"] == {}


@pytest.mark.parametrize("name", NAMES)
def test_compressed_transactions_are_read(server: Any, name: str) -> None:
    found = server(name)
    wide = "CREATE TABLE wide (id INT PRIMARY KEY, v VARCHAR(99))"
    rows = ", ".join(f"({number}, '{'x' * 60}')" for number in range(3000))
    with compressing(found, name) as compress, binlog_stream(found, wide, tables=["wide"]) as stream:
        stream.execute(compress, "BEGIN", f"INSERT INTO wide VALUES {rows}", "DELETE FROM wide WHERE id < 10", "COMMIT")
        chunks = [*stream.chunks(rows=1000, most=1), *stream.chunks(rows=1000)]
        assert sum(len(part.rows) for chunk in chunks for part in chunk.parts) == 3010
        assert [chunk.end.changes for chunk in chunks] == [1000, 2000, 3000, 0]
        file = chunks[-1].end.place.rpartition(":")[0]
        kinds = {row[2] for row in found.execute(f"SHOW BINLOG EVENTS IN '{file}'")}
        assert kinds & {"Transaction_payload", "Write_rows_compressed_v1", "Write_rows_compressed"}, kinds


@contextlib.contextmanager
def compressing(found: Any, name: str) -> Iterator[str]:
    """Have the server compress what it logs, where it has no setting of the session; give the session's."""
    if name not in MARIADBS:
        yield "SET SESSION binlog_transaction_compression = ON"
        return
    found.execute("SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10")
    yield "DO 0"
    found.execute("SET GLOBAL log_bin_compress = OFF")


@pytest.mark.parametrize("name", MARIADBS)
def test_a_transaction_that_a_killed_server_never_committed_is_left_out(
    server: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = server(name)
    with binlog_stream(found, "CREATE TABLE big (id INT PRIMARY KEY, v LONGTEXT)", tables=["big"]) as stream:
        stream.execute("INSERT INTO big VALUES (1, 'a')")
        [*_, (file, size)] = [row[:2] for row in found.execute("SHOW BINARY LOGS")]
        torn = found.folder / "data" / file
        writer = threading.Thread(target=_write, args=(stream, torn), daemon=True)
        writer.start()
        until = time.monotonic() + 60
        while torn.stat().st_size < size + MEGABYTES * 2**18:
            assert time.monotonic() < until, "the commit did not reach the log"
        found.kill()
        assert torn.stat().st_size < size + MEGABYTES * 2**20, "the whole transaction was in the log before the kill"
        writer.join()
        found.restart()
        stream.execute("INSERT INTO big VALUES (0, 'b')")
        assert stream.changes() == [("c", "1", "a"), ("c", "0", "b")]
        assert [one.message for one in caplog.records if "never committed" in one.message] != []
        stream.execute("INSERT INTO big VALUES (2, 'c')")
        assert stream.changes() == [("c", "2", "c")]


def _write(stream: Any, torn: Path) -> None:
    with contextlib.suppress(MySQLdb.OperationalError):
        stream.execute(f"INSERT INTO big SELECT seq + 10, REPEAT('x', 1048576) FROM seq_1_to_{MEGABYTES}")


@pytest.mark.parametrize("name", MARIADBS)
def test_files_are_ordered_by_number(server: Any, name: str) -> None:
    found = server(name)
    found.execute("RESET MASTER TO 999999")
    with binlog_stream(found) as stream:
        stream.execute("INSERT INTO orders VALUES (1, 1)", "FLUSH BINARY LOGS", "INSERT INTO orders VALUES (2, 2)")
        assert stream.changes() == [("c", "1", "1"), ("c", "2", "2")]
        assert stream.position is not None
        assert "1000000" in stream.position.place
        stream.execute("INSERT INTO orders VALUES (3, 3)")
        assert stream.changes() == [("c", "3", "3")]
