"""Comparison of rows with those of earlier runs: by the columns that both have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.sources.query.overlapping.seen import FACT
from airflow_legacy_events.sources.selection import Selection

Row: TypeAlias = tuple[Any, ...]
Version: TypeAlias = Callable[[Row], Row]
"""Returns the values of a row that make its version, in the order of the columns' names."""


def compared_columns(at: Watermark | None) -> tuple[str, ...]:
    """Return the names of the columns that a watermark's run has read; none without a seen-set."""
    return () if at is None or FACT not in at.facts else tuple(name for name, _, _ in at.facts.get("shape") or ())


def known(names: tuple[str, ...], found: Reflection) -> tuple[str, ...]:
    """Return those of the columns that the table or query still has."""
    there = {column.name for column in found.columns}
    return tuple(name for name in names if name in there)


def version_of(selection: Selection) -> Version:
    """Return the values of all columns that are read."""
    return _picked([(one.name, at) for at, one in enumerate(selection.shape.columns)])


def earlier_version_of(selection: Selection, facts: Mapping[str, Any]) -> Version | None:
    """Return the values of the columns that were read before; None if one of them is gone or has another type.

    Args:
        selection: columns that are read now.
        facts: of the watermark.
    """
    now = {one.name: (one.type, at) for at, one in enumerate(selection.shape.columns)}
    before = {name: type_ for name, type_, _ in facts.get("shape") or ()}
    if any(name not in now or now[name][0] != type_ for name, type_ in before.items()):
        return None
    return _picked([(name, now[name][1]) for name in before])


def _picked(columns: list[tuple[str, int]]) -> Version:
    places = [at for _, at in sorted(columns)]
    return lambda row: tuple(row[at] for at in places)
