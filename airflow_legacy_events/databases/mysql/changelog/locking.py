"""Locks on MySQL's tables against writers, for the moment that a snapshot takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import MySQLdb

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.server import spelled
from airflow_legacy_events.databases.mysql.changelog.session import DENIED, LogSession
from airflow_legacy_events.databases.mysql.changelog.xa_recover import prepared
from airflow_legacy_events.databases.mysql.session import code_of

PATIENCE_SECONDS = 60.0
"""Longest wait for open writers of MySQL's tables, and for a snapshot of MariaDB to reach what was read."""

_DOING = "waiting for those who write to the tables"
_BUSY = frozenset({1205, 1213})
_PAUSES = (0.25, 0.5, 1.0, 2.0)
_MOST = 5
# SHARED_READ and the like are no writer's. A prepared XA transaction may have no session.
_HOLDERS = """
SELECT DISTINCT t.processlist_id, COALESCE(t.processlist_user, ''), m.object_schema, m.object_name
  FROM performance_schema.metadata_locks AS m
  LEFT JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
 WHERE m.object_type = 'TABLE' AND m.lock_status = 'GRANTED'
   AND m.lock_type NOT IN ('SHARED', 'SHARED_READ', 'SHARED_READ_ONLY', 'SHARED_HIGH_PRIO')
   AND COALESCE(t.processlist_id, 0) <> CONNECTION_ID() AND ({})
"""
_OPEN = """
SELECT trx_mysql_thread_id, '', '', '' FROM information_schema.innodb_trx WHERE trx_rows_modified > 0
 ORDER BY trx_started
"""
_UNKNOWN = DENIED | frozenset({1109, 1146})


def lock(session: LogSession, tables: Sequence[TableName]) -> None:
    """Lock tables for reading, once their open writers have ended.

    New writers wait behind the lock, and behind its wait for the open ones. So it waits for a second at most, and is
    tried again after a pause.

    Raises:
        SourceError: they did not end in a minute; the error names them.
    """
    if not tables:
        return
    statement = f"LOCK TABLES {', '.join(f'{spelled(*one)} READ' for one in tables)}"
    until, tries = time.monotonic() + PATIENCE_SECONDS, 0
    session.ask(_DOING, "SET SESSION lock_wait_timeout = 1")
    while not _locked(session, statement):
        if time.monotonic() > until:
            raise _never_free(session, tables)
        session.wait(_PAUSES[min(tries, len(_PAUSES) - 1)])
        tries += 1


def unlock(session: LogSession) -> None:
    """Free the tables; a session that was lost has none."""
    with contextlib.suppress(SourceError):
        session.ask(_DOING, "UNLOCK TABLES")
        session.ask(_DOING, "SET SESSION lock_wait_timeout = DEFAULT")


def _locked(session: LogSession, statement: str) -> bool:
    with session.using(_DOING) as one:
        try:
            one.rows(statement)
        except MySQLdb.Error as error:
            if code_of(error) not in _BUSY:
                raise
            return False
        return True


def _never_free(session: LogSession, tables: Sequence[TableName]) -> SourceError:
    found = _holders(session, tables)
    named = "" if not found else f": {'; '.join(found[:_MOST])}"
    seen = "" if found else ("\nSELECT * FROM performance_schema.metadata_locks shows them to an administrator")
    return SourceError(
        f"connection {session.conn_id!r}: a snapshot needs a moment without open writers of its tables, and there was"
        f" none in {PATIENCE_SECONDS:g} s; nothing is lost. Let them end, or end them by KILL, a prepared one by XA"
        f" COMMIT or XA ROLLBACK{named}; a retry continues{seen}"
    )


def _holders(session: LogSession, tables: Sequence[TableName]) -> list[str]:
    """Return in words who may hold locks for writing; empty if this user may not see that."""
    chosen = " OR ".join("m.object_schema = %s AND m.object_name = %s" for _ in tables)
    rows = session.try_to(_DOING, _HOLDERS.format(chosen), *(part for one in tables for part in one), but=_UNKNOWN)
    if not rows:
        rows = session.try_to(_DOING, _OPEN, but=_UNKNOWN)
    left = sorted(prepared(session) or ())
    return [*(_told(*row) for row in rows or ()), *(f"prepared XA transaction {one}" for one in left)]


def _told(number: str | None, user: str, schema: str, table: str) -> str:
    who = "no session" if number in (None, "0") else f"session {number}"
    return f"{who}{f' of {user!r}' if user else ''}{f', which writes to {schema}.{table}' if table else ''}"
