"""Cooldown: the last event sent to a waiter, kept in an Airflow Variable that outlives triggerers and runs."""

from __future__ import annotations

import datetime as dt
import json

from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.fired."


_NOW = dt.timedelta(0)


def claim_event(stream: str, waiter: str | None, bound: tuple[str, ...], cooldown: dt.timedelta) -> dt.timedelta:
    """Return how long an event for rows up to `bound` must still be withheld from `waiter`; zero marks it as sent.

    An event may be sent if the last one was for another bound, or at least `cooldown` ago. It is marked before it is
    sent: if the process dies in between, the event is sent once `cooldown` has passed.

    Args:
        stream: whose rows are pending.
        waiter: who waits; each has its own cooldown. None: all waiters without a name share one.
        bound: up to which rows are pending.
        cooldown: 0 or more.

    Raises:
        WatermarkError: Airflow's Variables can't be read or written.
    """
    if not cooldown:
        return _NOW
    key = airflow_variables.variable_key(PREFIX, stream if waiter is None else f"{stream}#{waiter}")
    now = dt.datetime.now(dt.UTC)
    ago = _sent_ago(airflow_variables.read(key), bound, now)
    if ago is not None and _NOW <= ago < cooldown:
        return cooldown - ago
    airflow_variables.write(key, json.dumps({"bound": list(bound), "at": now.isoformat()}))
    return _NOW


def _sent_ago(text: str | None, bound: tuple[str, ...], now: dt.datetime) -> dt.timedelta | None:
    """Return how long ago the last event was sent; None if it was for another bound, or can't be understood."""
    try:
        content = read_json(text or "null")
        return now - dt.datetime.fromisoformat(content["at"]) if content["bound"] == list(bound) else None
    except (ValueError, KeyError, TypeError):
        return None
