"""A transaction of more than a packet, in the long form of more than the 4 GiB that a position of the log holds."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from tests.support import profile
from tests.support.binlog_dumps import dump_of, end_of, events_of
from tests.support.binlog_servers import binlog_server
from tests.support.databases import fresh_database

BYTES = 4_400_000_000 if profile.LONG else 50_000_000
ROW_BYTES = {"mariadb_logs": 20_000_000, "mysql9_logs": 9_000_000}
"""MySQL takes no longer ones unless its redo log is larger."""

TEN = " UNION ALL SELECT ".join("0123456789")


@pytest.mark.parametrize("name", ROW_BYTES)
def test_a_transaction_of_any_size_is_read_once_and_from_behind(request, name):
    made = binlog_server(name) if profile.LONG else nullcontext(request.getfixturevalue(name))
    with made as server, fresh_database(server) as database:
        database.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT) ENGINE=InnoDB")
        place, size = end_of(server), ROW_BYTES[name]
        rows = BYTES // size
        tables = ", ".join(f"(SELECT {TEN}) t{number}" for number in range(3))
        database.execute(f"INSERT INTO t (v) SELECT REPEAT('x', {size}) FROM {tables} LIMIT {rows}")
        database.execute("INSERT INTO t (v) VALUES ('small')")
        found, large, behind = 0, False, place
        with dump_of(server) as dump:
            for one in dump.events(place):
                large = large or len(one.body) > size
                found += one.kind in codes.ROWS and len(one.body) > size
                if large and one.kind == codes.XID:
                    behind, large = BinlogPlace(one.file, one.end), False
        assert found == rows
        assert behind.position > rows * size
        after = events_of(server, behind)
        assert after[0].start == behind.position
        assert sum(one.kind in codes.ROWS and b"small" in one.body for one in after) == 1
