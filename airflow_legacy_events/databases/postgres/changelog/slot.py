"""Replication slots: how one is, who holds it, and how ours is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.session import reason

PLUGIN = "pgoutput"
FAILOVER_SINCE = 170_000
"""First version whose slots can be kept on a standby."""

_SLOT = "SELECT to_jsonb(s) FROM pg_replication_slots AS s WHERE s.slot_name = %s::name"
_MAKE = "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput', false, false{})"
_DOING = "making the replication slot"
# pg_locks shows the transactions of every user and database, prepared ones too, to every user.
_OLDEST = """
SELECT l.pid, p.gid, coalesce(a.usename, p.owner)::text, coalesce(a.application_name, ''),
       coalesce(a.xact_start, p.prepared)::timestamptz(0)::text, l.transactionid::text
  FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
  LEFT JOIN pg_prepared_xacts AS p ON p.transaction = l.transactionid
 WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock'
   AND l.pid IS DISTINCT FROM pg_backend_pid()
 ORDER BY age(l.transactionid) DESC LIMIT 1
"""
_HOLDER = """
SELECT a.pid, a.usename::text, coalesce(a.application_name, ''),
       coalesce(host(a.client_addr), ''), a.backend_start::timestamptz(0)::text
  FROM pg_stat_activity AS a WHERE a.pid = %s
"""


class Slot(NamedTuple):
    """A row of `pg_replication_slots`; what the server's version does not report is None.

    Attributes:
        name: of it.
        plugin: output plugin; None for a physical slot.
        database: of a logical slot.
        temporary: whether it ends with its session.
        pid: of the session that uses it; None if none does.
        restart: place from which the server keeps its log; None for a slot that has lost it.
        confirmed: place up to which a reader confirmed.
        status: `wal_status`.
        invalid: `invalidation_reason`.
        inactive_since: when it was last used.
        failover: whether standbys keep it too.
        synced: whether it was copied from a primary.
    """

    name: str
    plugin: str | None
    database: str | None
    temporary: bool
    pid: int | None
    restart: str | None
    confirmed: str | None
    status: str | None
    invalid: str | None
    inactive_since: str | None
    failover: bool
    synced: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Slot:
        """Return the slot of a row of `pg_replication_slots` as JSON."""
        invalid = row.get("invalidation_reason")
        if invalid is None and row.get("conflicting"):
            invalid = "rows_removed"
        return cls(
            name=row["slot_name"],
            plugin=row["plugin"],
            database=row["database"],
            temporary=row["temporary"],
            pid=row["active_pid"],
            restart=row["restart_lsn"],
            confirmed=row["confirmed_flush_lsn"],
            status=row.get("wal_status"),
            invalid=invalid,
            inactive_since=row.get("inactive_since"),
            failover=bool(row.get("failover")),
            synced=bool(row.get("synced")),
        )

    @property
    def lost(self) -> str | None:
        """Why the server no longer keeps the log for it, in the server's words; None if it does."""
        if self.invalid is not None:
            return self.invalid
        return "wal_removed" if self.status == "lost" or self.confirmed is None else None


class Holder(NamedTuple):
    """What keeps a transaction or slot.

    Attributes:
        pid: of its session; None for a prepared transaction.
        gid: of a prepared transaction; None for a session.
        user: of the database.
        application: name of it; empty if there is none, or it is hidden.
        since: when it began, as text; None if that is hidden.
        transaction: its id.
    """

    pid: int | None
    gid: str | None
    user: str | None
    application: str
    since: str | None
    transaction: str = ""

    def told(self) -> str:
        """Return it in words."""
        who = f"prepared transaction {self.gid!r}" if self.gid is not None else f"pid {self.pid}"
        parts = [who, self.user and f"user {self.user}", self.application and f"application {self.application!r}"]
        return ", ".join(filter(None, [*parts, self.since and f"since {self.since}"]))

    def ending(self) -> str:
        """Return the statement that ends it."""
        if self.gid is None:
            return f"SELECT pg_terminate_backend({self.pid})"
        quoted = self.gid.replace("'", "''")
        return f"ROLLBACK PREPARED '{quoted}'"


def find_slot(session: LogSession, name: str) -> Slot | None:
    """Return a slot; None if there is none of that name."""
    rows = session.ask("looking at the replication slot", _SLOT, (name,))
    return Slot.of(rows[0][0]) if rows else None


def find_holder(session: LogSession, pid: int) -> Holder | None:
    """Return the session with this pid; None if it has ended."""
    rows = session.ask("looking at who uses the replication slot", _HOLDER, (pid,))
    if not rows:
        return None
    [(pid, user, application, _, since)] = rows
    return Holder(pid, None, user, application, since)


def oldest_transaction(session: Connection[Any]) -> Holder | None:
    """Return the oldest open transaction of any database that wrote something, prepared ones too; None if none did."""
    row = session.execute(_OLDEST).fetchone()
    return None if row is None else Holder(*row)


def make_slot(session: LogSession, name: str, *, standby: bool) -> str:
    """Make a slot that reads with pgoutput; return the place where its log begins.

    The server first waits for all transactions that are open, of every database, at most for the statement timeout.

    Raises:
        SourceError: it was not made; after the timeout the error names the oldest open transaction.
    """
    with session.using(_DOING) as connection:
        failover = ", true" if connection.info.server_version >= FAILOVER_SINCE and not standby else ""
        try:
            [(place,)] = connection.execute(_MAKE.format(failover).encode(), (name,))
        except psycopg.errors.QueryCanceled:
            holder = None if standby else oldest_transaction(connection)
            raise _waited(session, name, holder, standby=standby) from None
        except psycopg.Error as error:
            raise errors.failed(session.conn_id, _DOING, reason(error)) from None
    return str(place)


def _waited(session: LogSession, name: str, holder: Holder | None, *, standby: bool) -> SourceError:
    waited = f"{session.timeout_seconds:g} s"
    begun = f"connection {session.conn_id!r}: replication slot {name!r} was not made within {waited}"
    if standby:
        return SourceError(
            f"{begun}: a standby waits until its primary logs its open transactions; nothing was read"
            "\nRun this on the primary while the task runs: SELECT pg_log_standby_snapshot()"
        )
    if holder is None:
        return SourceError(f"{begun}; nothing was read. Raise statement_timeout=, or run it when less is written")
    return SourceError(
        f"{begun}: the server first waits for every open transaction; nothing was read. The oldest: {holder.told()}."
        f" Let it end, or end it\n{holder.ending()}"
    )
