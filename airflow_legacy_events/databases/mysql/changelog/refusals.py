"""Errors of a session that streams the binlog: what the server said, and what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pymysql

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError
from airflow_legacy_events.databases.mysql.session import code_of, reason

STREAMING = "reading the binlog"

_REFUSED_STREAM, _SAME_ID = 1236, 4052
_DENIED = frozenset({1044, 1045, 1227})
_NO_LOG = 1381
_FORGET = "`airflow legacy-events watermark forget STREAM`"
_TWICE = ("same server_uuid", "same server_id")
_TORN = "truncated in the middle of event"
_GONE = ("first log file name", "open log file", "find next log", "purged")
_BEYOND = ("impossible position", "position > file size")
_DAMAGED = ("bogus data", "crc", "checksum", "exceeded max_allowed_packet", "corrupt", "invalid event")


@contextmanager
def translated(conn_id: str, closed: threading.Event, doing: str = STREAMING) -> Iterator[None]:
    """Return a context in which PyMySQL's errors become `SourceError`.

    Args:
        conn_id: Airflow's name of the connection.
        closed: set once the session was closed on purpose.
        doing: what the context does.
    """
    try:
        yield
    except pymysql.Error as error:
        if closed.is_set():
            raise closed_by_run(conn_id) from None
        raise errors.failed(conn_id, doing, reason(error)) from None


def closed_by_run(conn_id: str) -> SourceError:
    """Return the error for a session that was closed on purpose."""
    return SourceError(f"connection {conn_id!r} was closed by its run while {STREAMING}")


def is_twice(error: pymysql.Error) -> bool:
    """Return whether the server ended a stream because another one has its server ID."""
    return code_of(error) == _SAME_ID or any(one in str(error) for one in _TWICE)


def refused(conn_id: str, error: pymysql.Error, place: BinlogPlace) -> LegacyEventsError:
    """Return the error for a stream that the server refused or ended.

    Args:
        conn_id: Airflow's name of the connection.
        error: of the server.
        place: up to which events were read.
    """
    said, where, text = reason(error), text_of(place), str(error).lower()
    if code_of(error) == _NO_LOG or "log is not open" in text:
        return ConfigurationError(f"start the server of connection {conn_id!r} with log_bin: it has no binlog: {said}")
    if is_twice(error):
        return SourceError(
            f"run again: a replica with the same server ID took the place of connection {conn_id!r} at {where}: {said}."
            " The ID is drawn at random for each run"
        )
    if code_of(error) == _REFUSED_STREAM:
        return _broken(conn_id, said, place)
    return errors.failed(conn_id, STREAMING, f"{said}, at {where}; a retry continues")


def _broken(conn_id: str, said: str, place: BinlogPlace) -> SourceError:
    """Return the error for a log that does not go on at a place, by what the server said."""
    where, text = text_of(place), said.lower()
    if _TORN in text:
        return TornFileError(
            f"connection {conn_id!r}: binlog file {place.file!r} ends inside of an event, at {where}: {said}", place
        )
    if any(one in text for one in _GONE):
        return errors.without_retry(
            f"let the stream begin again with {_FORGET}: the server of connection {conn_id!r} no longer has {where},"
            f" where this run continues: {said}. The changes from there to its oldest file are lost; keep its files"
            " for longer than the time between two runs"
        )
    if any(one in text for one in _BEYOND):
        return errors.without_retry(
            f"let the stream begin again with {_FORGET}: the binlog of connection {conn_id!r} ends before {where},"
            f" where this run continues: {said}. It was reset, is another server's, or lost its end in a crash"
        )
    if any(one in text for one in _DAMAGED):
        return errors.without_retry(
            f"let the stream begin again with {_FORGET}: the binlog of connection {conn_id!r} can't be read at {where}:"
            f" {said}. No event begins there, or the file is damaged; `mysqlbinlog --verify-binlog-checksum` tells"
        )
    return errors.failed(conn_id, STREAMING, f"{said}, at {where}")


def denied(conn_id: str, error: pymysql.Error, user: Callable[[], str]) -> ConfigurationError | None:
    """Return the error for a user that may not read the binlog; None for other errors.

    Args:
        conn_id: Airflow's name of the connection.
        error: of the server.
        user: returns the user as in a GRANT.
    """
    if code_of(error) not in _DENIED:
        return None
    found = ConfigurationError(f"let the user of connection {conn_id!r} read the binlog: {reason(error)}")
    return errors.with_grants(found, [f"GRANT REPLICATION SLAVE ON *.* TO {user()}"])


def elsewhere(conn_id: str, expected: Mapping[str, str], found: Mapping[str, str]) -> SourceError:
    """Return the error for sessions that land on different servers.

    Args:
        conn_id: Airflow's name of the connection.
        expected: variables of the server of the sessions that run statements.
        found: those of the server of the sessions that stream.
    """
    here, there = (", ".join(f"{name}={value}" for name, value in one.items()) for one in (expected, found))
    return SourceError(
        f"let connection {conn_id!r} name one server, not a balancer: its sessions land on different ones. Statements"
        f" run on {here}; the binlog would come from {there}. Each has a binlog of its own; nothing was read"
    )
