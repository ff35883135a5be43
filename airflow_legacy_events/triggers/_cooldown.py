"""Cooldown: the last event sent to a waiter, kept in an Airflow Variable that outlives triggerers and runs."""

from __future__ import annotations

import datetime as dt
import json

from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.fired."


def claim_event(stream: str, waiter: str | None, bound: tuple[str, ...], cooldown: dt.timedelta) -> bool:
    """Return whether an event for rows up to `bound` may be sent to `waiter`; if so, it counts as sent.

    It may if the last event was for another bound, or at least `cooldown` ago. It counts before it is sent: when the
    process dies in between, the event is sent once `cooldown` has passed.

    Args:
        stream: whose rows are pending.
        waiter: who waits; each has a cooldown of its own. None: all who have no name share one.
        bound: up to which rows are pending.
        cooldown: 0 or more.

    Raises:
        WatermarkError: Airflow's Variables can't be read or written.
    """
    if not cooldown:
        return True
    key = airflow_variables.variable_key(PREFIX, stream if waiter is None else f"{stream}#{waiter}")
    now = dt.datetime.now(dt.UTC)
    if _sent(airflow_variables.read(key), bound, now - cooldown, now):
        return False
    airflow_variables.write(key, json.dumps({"bound": list(bound), "at": now.isoformat()}))
    return True


def _sent(text: str | None, bound: tuple[str, ...], since: dt.datetime, now: dt.datetime) -> bool:
    try:
        content = json.loads(text or "null")
        return content["bound"] == list(bound) and since < dt.datetime.fromisoformat(content["at"]) <= now
    except (ValueError, KeyError, TypeError):
        return False
