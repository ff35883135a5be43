"""PostgreSQL server identity, and its WAL position."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psycopg import Connection, errors

from airflow_legacy_events.databases.postgres.undone import ask

_NAMES = """
SELECT (pg_catalog.pg_control_system()).system_identifier::pg_catalog.text,
       pg_catalog.current_database()::pg_catalog.text, {}
"""
# A standby reports the timeline that it replays with its next checkpoint, or with the next page that it writes out.
# Only members of pg_read_all_stats see it at once.
_POSITION = """
       standby,
       CASE WHEN standby THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn()
       END::pg_catalog.text,
       CASE WHEN NOT standby THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) END,
       CASE WHEN standby THEN greatest((pg_catalog.pg_control_checkpoint()).timeline_id,
                                       (pg_catalog.pg_control_recovery()).min_recovery_end_timeline,
                                       (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)) END
  FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby OFFSET 0) AS recovery
"""
_CHECKPOINT = "(pg_catalog.pg_control_checkpoint()).timeline_id"
_REFUSED = (
    errors.InsufficientPrivilege,
    errors.UndefinedFunction,
    errors.UndefinedTable,
    errors.FeatureNotSupported,
    errors.ObjectNotInPrerequisiteState,
)
"""Errors of servers without WAL of their own, or with hidden WAL."""
_LSN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})", re.ASCII)
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)


class Server(NamedTuple):
    """One answer.

    Attributes:
        identity: see `core.ports.Database.identity`: the cluster's system identifier, the timeline of the WAL that it
            writes or replays, and the database.
        position: see `core.ports.Database.position`: WAL that was flushed on a primary, or replayed on a standby.
        standby: whether its rows arrive from another server.
    """

    identity: dict[str, str]
    position: dict[str, Any] | None
    standby: bool = False


def find_server(session: Connection[Any]) -> Server:
    """Return the server's identity and WAL position, in one round trip."""
    try:
        [[(system, database, standby, lsn, file, replayed)]] = ask(session, _NAMES.format(_POSITION))
    except _REFUSED:
        [[(system, database, timeline)]] = ask(session, _NAMES.format(_CHECKPOINT))
        return Server(_identity(system, timeline, database), None)
    timeline = replayed if standby else int(file[:8], 16)
    position = {"system_identifier": system, "timeline": str(timeline), "lsn": lsn} if lsn else None
    return Server(_identity(system, timeline, database), position, standby)


def why_behind(
    position: Mapping[str, Any],
    server: Server | None,
    look: Callable[[], Server],
    pause: Callable[[float], Any],
    seconds: float,
) -> str | None:
    """Return why a server is behind an earlier `position`; None if it isn't known to be.

    A server with less WAL lacks some of the data already read, on any timeline. For one with more WAL, the point where
    their timelines forked is unknown. A standby gets time to catch up.

    Args:
        position: an earlier `Server.position`.
        server: its current state, if already known.
        look: returns its new state.
        pause: called with seconds to wait.
        seconds: maximum time to wait for a standby.
    """
    server, left, looks = server or look(), seconds, 0
    while _lacks(server.position, position):
        if not server.standby:
            return (
                f"the server is a primary at WAL {_shown(server.position)}, behind {_shown(position)} that was read"
                " before: it was promoted or restored from an older copy"
            )
        if left <= 0:
            return (
                f"the server is a standby that replayed WAL up to {_shown(server.position)}, behind {_shown(position)}"
                f" that was read before, and did not reach it within {seconds:g} s: check that it still receives and"
                " replays WAL"
            )
        longest = min(left, _PAUSES[min(looks, len(_PAUSES) - 1)])
        pause(longest)
        left, looks, server = left - longest, looks + 1, look()
    return None


def _identity(system: str, timeline: int, database: str) -> dict[str, str]:
    return {"system_identifier": system, "timeline": str(timeline), "database": database}


def _lacks(here: Mapping[str, Any] | None, before: Mapping[str, Any]) -> bool:
    """Whether WAL of the earlier position is missing here; False if the two can't be compared."""
    if here is None or here["system_identifier"] != before.get("system_identifier"):
        return False
    reached, wanted = _number(here["lsn"]), _number(before.get("lsn"))
    return reached is not None and wanted is not None and reached < wanted


def _number(lsn: object) -> int | None:
    found = _LSN.fullmatch(lsn) if isinstance(lsn, str) else None
    return None if found is None else int(found[1], 16) << 32 | int(found[2], 16)


def _shown(position: Mapping[str, Any] | None) -> str:
    return "{lsn} on timeline {timeline}".format(**{"timeline": "unknown", **(position or {})})
