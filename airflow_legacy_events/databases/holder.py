"""Who holds a stream's lock, as others are shown it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEARTBEAT_SECONDS = 5.0
LEASE_SECONDS = 15.0
"""A holder whose last sign of life is older is taken for dead."""

_TASK_INSTANCE = ("dag", "task", "run", "map_index")


def is_earlier_try(holder: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Whether `holder` is the same task instance in an earlier try."""
    if any(holder.get(part) is None or holder.get(part) != mine.get(part) for part in _TASK_INSTANCE):
        return False
    return int(holder.get("try") or 0) < int(mine.get("try") or 0)


def describe(holder: Mapping[str, Any] | None) -> str:
    """The holder as a person reads it."""
    if holder is None:
        return "a session that this user may not look at"
    text = f"dag {holder.get('dag')!r}, task {holder.get('task')!r}, run {holder.get('run')!r}"
    if holder.get("map_index") not in (None, -1):
        text += f", map index {holder['map_index']}"
    return f"{text}, try {holder.get('try')} on host {holder.get('host')}, pid {holder.get('pid')}"
