"""Transactions of real servers: what their binlogs hold that was never committed, and what was committed later."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import MySQLdb
import pytest

from tests.support.binlog_servers import SERVERS, binlog_server
from tests.support.binlog_stream import BinlogStream, binlog_stream
from tests.support.profile import LONG

pytestmark = pytest.mark.parametrize("name", SERVERS)

MIXED = frozenset({"mariadb_logs", "mariadb11_logs", "mysql56_logs"})
"""Servers whose transactions may drop temporary tables, and change tables of engines that have no transactions."""


@pytest.fixture(scope="module")
def ungtided() -> Iterator[Any]:
    with binlog_server("mysql56_logs", gtid_mode="OFF", enforce_gtid_consistency="OFF") as server:
        yield server


@pytest.fixture
def stream(request: pytest.FixtureRequest, name: str) -> Iterator[BinlogStream]:
    server = request.getfixturevalue("ungtided" if name == "mysql56_logs" else name)
    with binlog_stream(server) as found:
        yield found


def test_changes_come_in_order_and_each_once(stream: BinlogStream) -> None:
    stream.execute("INSERT INTO orders VALUES (1, 10), (2, 20)", "UPDATE orders SET v = 11 WHERE id = 1")
    assert stream.changes() == [("c", "1", "10"), ("c", "2", "20"), ("u", "1", "11")]
    stream.execute("UPDATE orders SET id = 3 WHERE id = 2", "DELETE FROM orders WHERE id = 1")
    assert stream.changes(rows=1) == [("d", "2", "20"), ("c", "3", "20"), ("d", "1", "11")]
    assert stream.changes() == []


@pytest.mark.parametrize("rows", [3, 300_000 if LONG else 30_000])
def test_a_rolled_back_transaction_that_dropped_a_temporary_table_is_left_out(stream: BinlogStream, rows: int) -> None:
    stream.execute(
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
    )
    many = "SELECT a.n+10*b.n+100*c.n+1000*d.n+10000*e.n+100000*f.n, 1 FROM seq a, seq b, seq c, seq d, seq e, seq f"
    stream.execute(
        "CREATE TEMPORARY TABLE tmp (id INT)",
        "BEGIN",
        f"INSERT INTO orders {many} LIMIT {rows}",
        "DROP TEMPORARY TABLE tmp",
        "ROLLBACK",
        "INSERT INTO orders VALUES (-1, 1)",
    )
    assert stream.changes() == [("c", "-1", "1")]


def test_what_was_rolled_back_to_a_savepoint_is_left_out(stream: BinlogStream, name: str) -> None:
    mixed = ["INSERT INTO journal VALUES (1)"] if name in MIXED else []
    stream.execute(
        "CREATE TABLE journal (id INT PRIMARY KEY) ENGINE=MyISAM",
        "CREATE TEMPORARY TABLE tmp (id INT)",
        "BEGIN",
        "INSERT INTO orders VALUES (1, 1)",
        "SAVEPOINT a",
        "INSERT INTO orders VALUES (2, 2)",
        *mixed,
        "SAVEPOINT `b``c`",
        "INSERT INTO orders VALUES (3, 3)",
        "DROP TEMPORARY TABLE tmp",
        "ROLLBACK TO `b``c`",
        "INSERT INTO orders VALUES (4, 4)",
        "ROLLBACK TO A",
        "INSERT INTO orders VALUES (5, 5)",
        "COMMIT",
    )
    assert stream.changes() == [("c", "1", "1"), ("c", "5", "5")]


def xa(name: str, number: int) -> list[str]:
    return [f"XA START {name}", f"INSERT INTO orders VALUES ({number}, {number})", f"XA END {name}"]


def test_xa_transactions_go_out_once_they_are_committed(stream: BinlogStream, name: str) -> None:
    if name == "mysql56_logs":  # it rolls them back when their session ends
        stream.execute(
            *xa("'a'", 1), "XA PREPARE 'a'", "XA COMMIT 'a'", *xa("'b'", 2), "XA PREPARE 'b'", "XA ROLLBACK 'b'"
        )
    else:
        stream.execute(*xa("'a'", 1), "XA PREPARE 'a'")
        stream.execute(*xa("'b'", 2), "XA PREPARE 'b'")
        stream.execute("INSERT INTO orders VALUES (3, 3)")
        assert stream.changes() == [("c", "3", "3")]
        stream.execute("XA COMMIT 'a'", "XA ROLLBACK 'b'")
    assert stream.changes() == [("c", "1", "1")]
    stream.execute(*xa("'e','f',7", 5), "XA COMMIT 'e','f',7 ONE PHASE")
    assert stream.changes() == [("c", "5", "5")]
    assert stream.facts["prepared"] == {}


def test_an_alter_that_is_logged_in_two_parts_counts_once_it_is_committed(stream: BinlogStream, name: str) -> None:
    phases = "SET SESSION binlog_alter_two_phase = ON" if name.startswith("mariadb") else "DO 0"
    stream.execute("INSERT INTO orders VALUES (1, 7), (2, 7)")
    with pytest.raises(MySQLdb.IntegrityError):
        stream.execute(phases, "ALTER TABLE orders ADD COLUMN x INT DEFAULT 3, ADD UNIQUE (v)")
    stream.execute("INSERT INTO orders VALUES (3, 8)")
    stream.execute(phases, "ALTER TABLE orders ADD COLUMN x INT", "INSERT INTO orders VALUES (4, 9, 10)")
    found = [("c", "1", "7"), ("c", "2", "7"), ("c", "3", "8"), ("c", "4", "9", "10")]
    assert [one for one in stream.changes() if one[0] == "c"] == found


def test_a_transaction_is_named_by_its_gtid_where_it_has_one(stream: BinlogStream, name: str) -> None:
    tagged = f"{uuid.uuid4()}:tag:7"
    if name == "mysql9_logs":
        reset = "SET GTID_NEXT = 'AUTOMATIC'"
        stream.execute(f"SET GTID_NEXT = '{tagged}'", "INSERT INTO orders VALUES (1, 1)", reset)
    else:
        stream.execute("INSERT INTO orders VALUES (1, 1)")
    before = stream.position
    [chunk] = stream.chunks()
    [[row]] = [part.rows for part in chunk.parts]
    [noted] = chunk.notes.transactions.values()
    if name == "mysql56_logs":  # this one has no GTIDs
        assert (row[2], noted.gtid, before) == (noted.place, None, (noted.place, 0))
        return
    assert row[2] == noted.gtid
    assert re.fullmatch(tagged if name == "mysql9_logs" else "0-[0-9]+-[0-9]+", row[2])
    known = chunk.facts["gtids"].split(",")
    if name == "mysql9_logs":
        assert row[2] in known
    else:  # others may have written behind it
        assert max(int(one.rpartition("-")[2]) for one in known) >= int(row[2].rpartition("-")[2])
