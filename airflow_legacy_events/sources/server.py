"""The server that is read: whether it is at least as far as it was when the watermark was written."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.ports import Database

REACHED = "reached"
"""Fact of a watermark: how far the server was, as `Database.position` tells it."""


def with_reached(database: Database, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with how far the server is, where they don't say how far it was and it tells that."""
    position = None if REACHED in facts else database.position()
    return {**facts} if position is None else {**facts, REACHED: position}


def as_known(
    database: Database, stream: str, stored: Mapping[str, Any], found: Mapping[str, Any], log: logging.Logger
) -> Mapping[str, Any]:
    """Return the facts of a run for the comparison with a watermark's, with its server where this one continues it.

    So endpoints that hop between replicas, and a replica that was promoted with all that was read, are taken over.
    """
    before = stored.get("server")
    if not isinstance(before, Mapping) or before == found.get("server"):
        return found
    if not database.continues(before, stored.get(REACHED)):
        return found
    log.info("stream %s: another server than before has all that was read of that one, and is read from now on", stream)
    return {**found, "server": before}


def refuse_behind(database: Database, stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the server is not behind what was read of it before; a standby is waited for.

    Args:
        database: that is read.
        stream: whose watermark it is.
        facts: of the watermark; older ones don't hold how far the server was, and nothing is compared.

    Raises:
        WatermarkError: it is behind; nothing was read or acknowledged.
    """
    before = facts.get(REACHED)
    if before is None or (why := database.behind(before)) is None:
        return
    raise WatermarkError(
        f"the server of stream {stream!r} is behind what was read of it before: {why}. Rows that were delivered may be"
        " missing from it, and others may take their place; nothing was read. Point the connection at a server that"
        " has them; or, if this server's rows are what counts from now on, take it with"
        f" {command('set', stream, '--accept', 'position')}",
        retry_helps=True,
    )
