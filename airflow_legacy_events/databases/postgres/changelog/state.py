"""State of a slot's log at the server: how much it holds, and what makes it hold that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.model.log import LogState
from airflow_legacy_events.databases.postgres.changelog import places
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import Holder, Slot, oldest_transaction

END = """
CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text
"""
"""Expression of the place where the log ends: flushed, or replayed by a standby."""

_DOING = "looking at what the replication slot holds"
_STATE = """
SELECT {end}, to_jsonb(s) FROM (SELECT) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = %s::name
""".replace("{end}", END)
_SEGMENT_BYTES = 16 * 2**20
"""What a slot holds beyond its lag without anybody being the reason: the server moves `restart_lsn` now and then."""


def find_end(session: LogSession) -> str:
    """Return the place where the log ends now."""
    [(end,)] = session.ask("asking where the log ends", "SELECT " + END)
    return str(end)


def find_state(session: LogSession, slot: str) -> LogState:
    """Return the state of a stream's log, for the report."""
    [(end, row)] = session.ask(_DOING, _STATE, (slot,))
    if row is None:
        return LogState(str(end), slot=slot)
    found = Slot.of(row)
    lag, held = behind(found.confirmed, end), behind(found.restart, end)
    status = found.status if found.invalid is None else f"{found.status or 'lost'} ({found.invalid})"
    return LogState(str(end), lag, held, _told(holder(session, lag, held)), status, slot)


def behind(place: str | None, end: str) -> int | None:
    """Return the bytes from a place to the end of the log; None without a place."""
    return None if place is None else max(0, places.compare(end, place))


def holder(session: LogSession, lag: int | None, held: int | None) -> Holder | None:
    """Return the transaction that makes the server hold more of the log than its reader is behind.

    The log is held from the beginning of the oldest transaction that wrote something and is open, in any database; a
    forgotten prepared one too.

    Args:
        session: to query.
        lag: bytes that the reader is behind.
        held: bytes that the server holds.
    """
    if lag is None or held is None or held - lag <= _SEGMENT_BYTES:
        return None
    with session.using(_DOING) as connection:
        return oldest_transaction(connection)


def _told(found: Holder | None) -> Mapping[str, Any] | None:
    if found is None:
        return None
    who = {"gid": found.gid} if found.gid is not None else {"pid": found.pid}
    return {**who, "user": found.user, "since": found.since}
