"""Watermarks without values, or with too few: other facts show whether a person emptied them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.model import PLACED, Watermark

_BEFORE_ALL_ROWS = ("load", "nulls", "reset", "columns")
"""Facts of which a run leaves at least one with the values `[]`."""

_KINDS = (None, "query", "outbox")
"""Sources whose watermarks are known here; another source may store a receipt without a position."""

_FEWER = ("included", "person", "window")
"""Facts of a position with fewer values: one that was given, one set by a person in part, or a replay's."""


def contradiction(mark: Watermark) -> str | None:
    """Return which content of `mark` shows that values are missing, in words; None if nothing does.

    A watermark from before the fact `placed` was introduced may lack it.
    """
    what = "the values null" if mark.values is None else "no values"
    if mark.facts.get(PLACED) and not mark.values:
        return f"{what} beside the fact {PLACED!r}, which shows that there were some"
    if mark.facts.get("kind") not in _KINDS:
        return None
    if mark.values:
        return _too_few(mark.values, mark.facts)
    if mark.receipt:
        return f"{what} beside a receipt of rows that were delivered"
    return _not_left(mark, what)


def _not_left(mark: Watermark, what: str) -> str | None:
    """Return why no run of a known source leaves such facts without values."""
    if mark.values is None:
        return f"{what} beside facts of rows that were delivered" if _delivered(mark.facts) else None
    if any(name in mark.facts for name in _BEFORE_ALL_ROWS):
        return None
    return f"{what} and none of the facts {', '.join(_BEFORE_ALL_ROWS)}, which a run leaves beside them"


def _too_few(values: tuple[str, ...], facts: Mapping[str, Any]) -> str | None:
    columns = facts.get("columns")
    if facts.get("nulls") and not facts.get(PLACED):  # such a pass once kept a part set by a person
        return None
    if not isinstance(columns, list) or len(values) >= len(columns) or any(facts.get(name) for name in _FEWER):
        return None
    return f"{len(values)} values for {len(columns)} columns, but no one set it that way"


def _delivered(facts: Mapping[str, Any]) -> bool:
    """Return whether facts show that rows were delivered; an invalid manual edit shows nothing."""
    drained = facts.get("drained")
    return bool(facts.get("included")) or (isinstance(drained, int) and drained > 0) or _is_done(facts.get("load"))


def _is_done(load: Any) -> bool:
    return isinstance(load, dict) and load.get("done") is True and load.get("number") != 0
