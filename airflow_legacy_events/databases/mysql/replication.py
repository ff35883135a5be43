"""Replication: whether a MySQL or MariaDB table's rows are written on this server or arrive from another one."""

from __future__ import annotations

from typing import Any

import MySQLdb
from MySQLdb.cursors import DictCursor

from airflow_legacy_events.databases.mysql.grants import Grants
from airflow_legacy_events.databases.mysql.session import Session, code_of

_DENIED, _UNKNOWN_VARIABLE = 1227, 1193
_REPLICA_SINCE = (8, 0, 22)
_MONITOR_SINCE = (10, 5)
_READ_ONLY = ("super_read_only", "read_only", "innodb_read_only")


def written_elsewhere(session: Session, grants: Grants) -> tuple[str | None, tuple[str, ...]]:
    """Return why rows must not be written on this server, None if they may be, and what could not be determined."""
    read_only = _read_only(session)
    unknown: tuple[str, ...] = ()
    found = sources(session)
    if found is None:
        unknown = (f"whether this server is a replica; GRANT {_privilege(session)} ON *.* TO {grants.user} shows it",)
    if found:
        return f"this server is a replica, its source is {', '.join(found)}", unknown
    return (f"this server has {read_only} = ON" if read_only else None), unknown


def is_primary(session: Session) -> bool:
    """Return whether this server is known not to replicate from another one."""
    return not _read_only(session) and sources(session) == []


def _read_only(session: Session) -> str | None:
    return next((name for name in _READ_ONLY if _is_on(session, name)), None)


def _is_on(session: Session, name: str) -> bool:
    try:
        [(value,)] = session.rows(f"SELECT @@GLOBAL.{name}")
    except MySQLdb.Error as error:
        if code_of(error) != _UNKNOWN_VARIABLE:
            raise
        return False
    return str(value) not in ("0", "OFF")


def sources(session: Session) -> list[str] | None:
    """Return host and port of each server that this one replicates from; None if this user may not see them."""
    if session.mariadb:
        statement = "SHOW ALL SLAVES STATUS"
    else:
        statement = "SHOW REPLICA STATUS" if session.version >= _REPLICA_SINCE else "SHOW SLAVE STATUS"
    with session.connection.cursor(DictCursor) as cursor:
        try:
            cursor.execute(statement)
        except MySQLdb.Error as error:
            if code_of(error) != _DENIED:
                raise
            return None
        rows: list[dict[str, Any]] = list(cursor.fetchall())
    return [_address(row) for row in rows]


def _address(row: dict[str, Any]) -> str:
    host, port = (row.get(f"Source_{part}") or row.get(f"Master_{part}") for part in ("Host", "Port"))
    return f"{host}:{port}"


def _privilege(session: Session) -> str:
    return "SLAVE MONITOR" if session.mariadb and session.version >= _MONITOR_SINCE else "REPLICATION CLIENT"
