"""Log position of the server: checks that it is at least as far as when the watermark was written."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.ports import Database

REACHED = "reached"
"""Fact of a watermark: log position of the server, from `Database.position`."""


def with_reached(database: Database, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with the server's log position added, if they have none and the server reports one."""
    position = None if REACHED in facts else database.position()
    return {**facts} if position is None else {**facts, REACHED: position}


def as_known(
    database: Database, stream: str, stored: Mapping[str, Any], found: Mapping[str, Any], log: logging.Logger
) -> Mapping[str, Any]:
    """Return the facts of a run for comparison with a watermark's, with its server if this one continues it.

    This accepts an endpoint that switches between replicas, and a promoted replica that has everything read so far.
    """
    before = stored.get("server")
    if not isinstance(before, Mapping) or before == found.get("server"):
        return found
    if not database.continues(before, stored.get(REACHED)):
        return found
    log.info(
        "stream %s: another server than before has all rows that were read from that one, and is read from now on",
        stream,
    )
    return {**found, "server": before}


def refuse_behind(database: Database, stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the server is not behind what was read of it before; waits for a standby.

    Args:
        database: to read.
        stream: whose watermark it is.
        facts: of the watermark; older ones hold no log position, and the check is skipped.

    Raises:
        WatermarkError: it is behind; nothing was read or acknowledged.
    """
    before = facts.get(REACHED)
    if before is None or (why := database.behind(before)) is None:
        return
    raise WatermarkError(
        f"the server of stream {stream!r} is behind what was read from it before: {why}. Rows that were delivered may"
        " be missing from it, and others may take their place; nothing was read. Point the connection at a server that"
        " has them; or, if this server's rows count from now on, accept it with"
        f" {command('set', stream, '--accept', 'position')}",
        retry_helps=True,
    )
