"""What the server needs to keep the log of a stream: its publication, its slot, and tables that join later."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.changelog import publication
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import Holder, find_slot, make_slot, oldest_transaction
from airflow_legacy_events.databases.postgres.changelog.snapshot import visible_now
from airflow_legacy_events.databases.postgres.session import reason

_PUBLISHING, _WAITING = "making the publication", "waiting for those who write to the new tables"
_OPEN = "waiting for open transactions"
# A writer that prepared its transaction holds its locks under another number: each prepared one counts.
_WRITERS = """
WITH RECURSIVE tree (oid) AS (
  SELECT unnest(%s::oid[])
  UNION
  SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT l.virtualtransaction, l.pid, p.gid, coalesce(a.usename, p.owner)::text, coalesce(a.application_name, ''),
       coalesce(a.xact_start, p.prepared)::timestamptz(0)::text
  FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
  LEFT JOIN pg_locks AS x ON l.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
   AND x.locktype = 'transactionid'
  LEFT JOIN pg_prepared_xacts AS p ON p.transaction = x.transactionid
 WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (ARRAY(SELECT oid FROM tree))
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND l.mode = ANY ('{RowExclusiveLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}')
"""
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.25)


def begin(session: LogSession, options: LogOptions, tables: Mapping[TableName, int], *, standby: bool) -> str:
    """Make publication and slot, or take over what an interrupted first run left; return where the log begins.

    Args:
        session: to make them.
        options: of the stream.
        tables: oids of the tables to publish.
        standby: whether the server is one; then the publication is its primary's.

    Raises:
        SourceError: they were not made in time; the error names the oldest open transaction.
    """
    late = [] if options.given or standby else publish(session, options, tables)
    found = find_slot(session, options.slot or "")
    place = None if found is None else found.confirmed
    if place is None:
        place = make_slot(session, options.slot or "", standby=standby)
    elif late:
        wait_for_writers(session, [tables[one] for one in late])
    if not standby:
        _wait_for_open(session)
    return place


def publish(session: LogSession, options: LogOptions, tables: Mapping[TableName, int]) -> Sequence[TableName]:
    """Let our publication have these tables and no others; return those that it did not have."""
    name = options.publication or ""
    with _explained(session) as connection:
        found = publication.find_publication(connection, name)
        if found is None:
            comment = publication.comment_for(options.stream, options.dag, options.slot or "")
            publication.make_publication(connection, name, tables, comment)
            return list(tables)
        if tables and set(found.members) != set(tables.values()):
            publication.set_tables(connection, name, tables)
        return [table for table, oid in tables.items() if oid not in found.members]


def join(session: LogSession, options: LogOptions, tables: Mapping[TableName, int], *, standby: bool) -> None:
    """Add tables to the publication, and wait until everybody who wrote to them before has ended.

    The log does not show what such a writer wrote before its table joined, and a snapshot does not show it before the
    writer has ended.

    Raises:
        SourceError: a writer did not end in time.
    """
    if not (options.given or standby):
        name = options.publication or ""
        with _explained(session) as connection:
            found = publication.find_publication(connection, name)
            if new := [table for table, oid in tables.items() if found is None or not found.holds(oid)]:
                publication.add_tables(connection, name, new)
    wait_for_writers(session, list(tables.values()))


def retire(session: LogSession, options: LogOptions, tables: Mapping[TableName, int]) -> Sequence[TableName]:
    """Take out of our publication what the stream reads no longer, and return it.

    Left in, such a table's UPDATE and DELETE would fail once it lost its replica identity.
    """
    name, wanted = options.publication or "", set(tables.values())
    with _explained(session) as connection:
        found = publication.find_publication(connection, name)
        if found is None or not found.owned or found.made_for.get("stream") != options.stream:
            return ()
        gone = [member.name for oid, member in found.members.items() if oid not in wanted]
        if gone:
            publication.drop_tables(connection, name, gone)
        return gone


def _wait_for_open(session: LogSession) -> None:
    """Wait until each transaction that is open now has ended.

    One of them may have committed before the log began and still wait for a synchronous standby. It is not in the log,
    and a snapshot does not show it before it has ended.

    Raises:
        SourceError: one did not end within the statement timeout.
    """
    until, looks = time.monotonic() + session.timeout_seconds, 0
    known = left = visible_now(session).running
    while left:
        if time.monotonic() > until:
            with session.using(_OPEN) as connection:
                holder = oldest_transaction(connection)
            raise SourceError(
                f"connection {session.conn_id!r}: {len(left)} transactions that were open when the change log began did"
                f" not end within {session.timeout_seconds:g} s; nothing was read. A retry continues"
                + ("" if holder is None else f". The oldest: {holder.told()}. Let it end, or end it\n{holder.ending()}")
            )
        session.wait(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks, left = looks + 1, known & visible_now(session).running


def wait_for_writers(session: LogSession, tables: Collection[int]) -> None:
    """Wait until each transaction that holds a lock for writing on one of these tables or its partitions has ended.

    Raises:
        SourceError: one did not end within the statement timeout.
    """
    until, looks = time.monotonic() + session.timeout_seconds, 0
    writers = _writers(session, tables)
    known = set(writers)
    while left := {one: who for one, who in writers.items() if one in known or who.pid is None}:
        if time.monotonic() > until:
            raise _still_writing(session, next(iter(left.values())))
        session.wait(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks, writers = looks + 1, _writers(session, tables)


def _writers(session: LogSession, tables: Collection[int]) -> dict[str, Holder]:
    return {one: Holder(*who) for one, *who in session.ask(_WAITING, _WRITERS, (list(tables),))}


def _still_writing(session: LogSession, who: Holder) -> SourceError:
    return SourceError(
        f"connection {session.conn_id!r}: a transaction that began to write before its table joined the log did not end"
        f" within {session.timeout_seconds:g} s: {who.told()}. What it wrote is in no log, so nothing was read of the"
        f" table. Let it end, or end it\n{who.ending()}"
    )


@contextmanager
def _explained(session: LogSession) -> Iterator[psycopg.Connection[Any]]:
    with session.using(_PUBLISHING) as connection:
        try:
            yield connection
        except psycopg.errors.QueryCanceled as error:
            failed = errors.failed(session.conn_id, _PUBLISHING, reason(error))
            raise type(failed)(
                f"{failed}. It waits for VACUUM, ANALYZE and DDL of the tables; a retry continues"
            ) from None
