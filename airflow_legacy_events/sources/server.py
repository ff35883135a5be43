"""The server that is read: whether it is at least as far as it was when the watermark was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.ports import Database

REACHED = "reached"
"""Fact of a watermark: how far the server was, as `Database.position` tells it."""


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
