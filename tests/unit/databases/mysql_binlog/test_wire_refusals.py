"""What a server says when it refuses or ends a stream, and what the run's error makes of it."""

from __future__ import annotations

import threading

import pymysql
import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.mysql.changelog import refusals
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError

PLACE = BinlogPlace("binlog.000012", 4711)
TAIL = "; the first event 'binlog.000012' at 4711, the last byte read from './binlog.000012' at 4730."
FORGET = "let the stream begin again with `airflow legacy-events watermark forget STREAM`"
SAID = [
    ("Could not find first log file name in binary log index file", FORGET),
    ("Cannot replicate because the source purged required binary logs", FORGET),
    ("could not open log file", FORGET),
    (f"could not find next log{TAIL}", FORGET),
    (f"Client requested master to start replication from impossible position{TAIL}", FORGET),
    ("Client requested source to start replication from position > file size", FORGET),
    (f"bogus data in log event{TAIL}", FORGET),
    (f"event read from binlog did not pass crc check{TAIL}", FORGET),
    (f"log event entry exceeded max_allowed_packet; Increase max_allowed_packet on master{TAIL}", FORGET),
]


def refused(code, message):
    return refusals.refused("crm", pymysql.OperationalError(code, message), PLACE)


@pytest.mark.parametrize(("said", "remedy"), SAID)
def test_a_log_that_does_not_go_on_ends_the_stream_until_a_person_acts(said, remedy):
    found = refused(1236, said)
    assert type(found) is SourceError
    assert not found.retry_helps
    assert str(found).startswith(remedy)
    assert "binlog.000012:4711" in str(found)
    assert said in str(found)


@pytest.mark.parametrize("on", ["master", "source"])
def test_a_torn_file_is_an_error_of_its_own(on):
    found = refused(1236, f"binlog truncated in the middle of event; consider out of disk space on {on}{TAIL}")
    assert isinstance(found, TornFileError)
    assert found.place == PLACE


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1236, "A slave with the same server_uuid/server_id as this slave has connected to the master"),
        (1236, "A replica with the same server_uuid/server_id as this replica has connected to the source"),
        (4052, "A slave with the same server_uuid/server_id as this slave has connected to the master"),
    ],
)
def test_a_replica_with_our_id_is_known(code, message):
    assert refusals.is_twice(pymysql.OperationalError(code, message))
    assert str(refused(code, message)).startswith("run again: a replica with the same server ID")


@pytest.mark.parametrize("code", [1053, 1317, 1927, 2013])
def test_a_connection_that_broke_is_read_on_by_a_retry(code):
    found = refused(code, "gone")
    assert found.retry_helps
    assert "binlog.000012:4711; a retry continues" in str(found)


def test_a_server_without_a_log_is_named():
    found = refused(1236, "Binary log is not open")
    assert isinstance(found, ConfigurationError)
    assert "log_bin" in str(found)


def test_a_missing_right_names_the_grant():
    error = pymysql.OperationalError(1227, "Access denied; you need REPLICATION SLAVE")
    found = refusals.denied("crm", error, lambda: "'u'@'h'")
    assert str(found).endswith("\nGRANT REPLICATION SLAVE ON *.* TO 'u'@'h'")
    assert refusals.denied("crm", pymysql.OperationalError(2013, "gone"), lambda: "") is None


def test_a_balancer_is_named_with_both_servers():
    found = str(refusals.elsewhere("crm", {"server_uuid": "a"}, {"server_uuid": "b"}))
    assert found.startswith("let connection 'crm' name one server, not a balancer")
    assert "server_uuid=a" in found
    assert "server_uuid=b" in found


def test_a_session_that_its_run_closed_says_so():
    closed = threading.Event()
    with pytest.raises(SourceError, match="failed while reading the binlog: gone"), refusals.translated("crm", closed):
        raise pymysql.OperationalError(2013, "gone")
    closed.set()
    with pytest.raises(SourceError, match="closed by its run"), refusals.translated("crm", closed):
        raise pymysql.OperationalError(2013, "gone")
