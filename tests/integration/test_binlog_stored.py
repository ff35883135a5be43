"""Logs that a server stores in a way of its own are read as all others: encrypted, or committed by renaming a file."""

from __future__ import annotations

import itertools
from contextlib import nullcontext

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from tests.support import profile
from tests.support.binlog_dumps import end_of, events_of
from tests.support.binlog_servers import binlog_server
from tests.support.databases import fresh_database

TABLE = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT) ENGINE=InnoDB"
_KEY = "1;" + "c0ffee00" * 8 + "\n"


def apart(events):
    """The kinds of events of one file that do not lie one behind the other."""
    pairs = itertools.pairwise(events)
    return {(one.kind, two.kind) for one, two in pairs if one.file == two.file and one.end != two.start}


def rows(events, mark):
    return sum(one.kind in codes.ROWS and mark in one.body for one in events)


def shared(request):
    return nullcontext(request.getfixturevalue("mariadb_logs"))


def test_an_encrypted_log_is_decrypted_by_its_server(tmp_path):
    key = tmp_path / "keys"
    key.write_text(_KEY)
    plugin = {"plugin_load_add": "file_key_management", "file_key_management_filename": str(key)}
    with binlog_server("mariadb_logs", encrypt_binlog="ON", **plugin) as server, fresh_database(server) as database:
        database.execute(TABLE)
        place = end_of(server)
        database.execute("INSERT INTO t (v) VALUES ('in the open')")
        assert b"in the open" not in (server.folder / "data" / place.file).read_bytes()
        for begin in (BinlogPlace(place.file, 4), place):
            events = events_of(server, begin)
            assert rows(events, b"in the open") == 1
            assert apart(events) <= {(codes.FORMAT_DESCRIPTION, codes.GTID_LIST)}  # START_ENCRYPTION lies between


def test_a_large_transaction_lies_without_a_hole(request):
    """MariaDB 11.7 renames the file of a large one's cache, whose events say no position; others copy it."""
    renames = {"binlog_large_commit_threshold": "10485760"}
    made = binlog_server("mariadb11_logs", **renames) if profile.LONG else shared(request)
    with made as server, fresh_database(server) as database:
        database.execute(TABLE)
        place = end_of(server)
        for _ in range(2):
            database.execute("BEGIN; INSERT INTO t (v) SELECT REPEAT('large', 200000) FROM seq_1_to_12; COMMIT")
            database.execute("INSERT INTO t (v) VALUES ('small')")
        events = events_of(server, place)
        assert rows(events, b"large") == 24
        assert rows(events, b"small") == 2
        assert not apart(events)
