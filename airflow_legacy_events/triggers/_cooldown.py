"""Who was told of which bound, and when: kept in an Airflow Variable, so it outlives triggerers and runs."""

from __future__ import annotations

import datetime as dt
import json

from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.fired."


def take_turn(stream: str, waiter: str | None, bound: tuple[str, ...], cooldown: dt.timedelta) -> bool:
    """Return whether `waiter` may be told that rows up to `bound` are pending; if so, it counts as told.

    It may when it was told of another bound before, or of this one at least `cooldown` ago. It counts as told before
    it is told: when the process dies in between, it is told once `cooldown` has passed.

    Args:
        stream: whose rows are pending.
        waiter: who waits; each has a memory of its own. None: all who have no name together.
        bound: up to which rows are pending.
        cooldown: 0 or more.

    Raises:
        WatermarkError: Airflow's Variables can't be read or written.
    """
    if not cooldown:
        return True
    key = airflow_variables.variable_key(PREFIX, stream if waiter is None else f"{stream}#{waiter}")
    now = dt.datetime.now(dt.UTC)
    if _told(airflow_variables.read(key), bound, now - cooldown, now):
        return False
    airflow_variables.write(key, json.dumps({"bound": list(bound), "at": now.isoformat()}))
    return True


def _told(text: str | None, bound: tuple[str, ...], since: dt.datetime, now: dt.datetime) -> bool:
    try:
        content = json.loads(text or "null")
        return content["bound"] == list(bound) and since < dt.datetime.fromisoformat(content["at"]) <= now
    except (ValueError, KeyError, TypeError):
        return False
