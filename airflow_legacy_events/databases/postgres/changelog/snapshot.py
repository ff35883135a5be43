"""Snapshots that stand at one place of the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog import places
from airflow_legacy_events.databases.postgres.changelog.numbering import record_end
from airflow_legacy_events.databases.postgres.changelog.session import LogSession

Look: TypeAlias = Callable[[str, str], list[tuple[Any, ...]]]
"""Runs a statement on the session that holds the snapshot; the first argument says what for."""

_SNAPSHOT = "pg_catalog.pg_current_snapshot()::pg_catalog.text"
# Asynchronous commits are visible before they are flushed, so the place is where the next record begins.
_TAKEN = f"""
SELECT {_SNAPSHOT}, pg_catalog.pg_is_in_recovery(),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END::pg_catalog.text,
       pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.text
"""
_NODES = """
WITH RECURSIVE tree (oid) AS (
  SELECT unnest(%s::oid[])
  UNION
  SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT oid::int8, pg_relation_filenode(oid)::int8 FROM tree ORDER BY 1
"""
# Nothing flushes what an open transaction wrote; this transaction of ours does, and with it all before it.
_FLUSHED = "SELECT pg_logical_emit_message(true, 'legacy_events', '')"
_DOING, _TRIES = "taking a snapshot of the log", 5


class Visible(NamedTuple):
    """Which transactions a snapshot sees.

    Attributes:
        lowest: all below it have ended.
        highest: none from it on is seen.
        running: those between that were open.
        everything: whether it sees each transaction of the log, as on a standby, which replays before it decodes.
    """

    lowest: int
    highest: int
    running: frozenset[int]
    everything: bool = False

    @classmethod
    def of(cls, text: str, *, standby: bool = False) -> Visible:
        """Return that of a `pg_snapshot` text, `xmin:xmax:xip,…`."""
        low, high, running = text.split(":")
        return cls(int(low), int(high), frozenset(int(one) for one in running.split(",") if one), standby)

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        """Return which of the transactions, which have committed, it does not see; in ascending order."""
        if self.everything:
            return ()
        return tuple(sorted(one for one in set(transactions) if one >= self.highest or one in self.running))


class Taken:
    """See `core.ports.LogSnapshot`.

    Args:
        place: see there.
        visible: which transactions it sees.
    """

    def __init__(self, place: str, visible: Visible) -> None:
        self.place, self._visible = place, visible

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        """See `core.ports.LogSnapshot.unseen`."""
        return self._visible.unseen(transactions)


def visible_now(session: LogSession) -> Visible:
    """Return which transactions a snapshot taken now sees."""
    [(text, standby)] = session.ask(_DOING, f"SELECT {_SNAPSHOT}, pg_is_in_recovery()")
    return Visible.of(str(text), standby=standby)


@contextmanager
def taken(
    session: LogSession,
    hold: Callable[[], AbstractContextManager[None]],
    look: Look,
    tables: Sequence[tuple[TableName, int]],
    started: str,
) -> Iterator[Taken]:
    """Hold a snapshot, with its place in the log; its tables can't be rewritten or emptied while it is held.

    Args:
        session: beside the one that holds it.
        hold: begins a snapshot on the session that reads.
        look: runs a statement on that session.
        tables: to read, with their oids.
        started: when the server started whose log is read.

    Raises:
        SourceError: a table was rewritten again and again, or the session that reads is on another server.
    """
    oids = [oid for _, oid in tables]
    for _ in range(_TRIES):
        before = session.ask(_DOING, _NODES, (oids,))
        with hold():
            [(text, standby, place, on)] = look(_DOING, _TAKEN)
            if on != started:
                raise _elsewhere(session)
            if tables:  # LOCK TABLE would need SELECT on every column
                look(_DOING, "; ".join(f"SELECT FROM {quoted(*name)} LIMIT 0" for name, _ in tables))
            if session.ask(_DOING, _NODES, (oids,)) == before:  # else rows may be missing from the snapshot
                if not standby:
                    session.ask(_DOING, _FLUSHED)
                yield Taken(places.place_of(record_end(places.number_of(place))), Visible.of(text, standby=standby))
                return
    raise SourceError(
        f"connection {session.conn_id!r}: a table was rewritten or emptied each time that a snapshot was taken; nothing"
        " of it was sent. Run it again once TRUNCATE, VACUUM FULL or ALTER TABLE have ended"
    )


def _elsewhere(session: LogSession) -> SourceError:
    return SourceError(
        f"connection {session.conn_id!r} leads to more than one server: rows and the change log would be those of"
        " different ones. Give the address of a single server; a retry continues"
    )
