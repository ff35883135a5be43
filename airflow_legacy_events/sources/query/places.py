"""Validation of stored watermark values, which a person may have edited: whether they fit their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.singles import shortest

# Dates as databases write them, including MySQL's zero dates and years beyond 9999; a time of day may follow.
_DATE = re.compile(r"\s*[+-]?\d{4,}-(0?\d|1[0-2])-([0-2]?\d|3[01])(?!\d)")
_LEAST, _MOST = -(2**63), 2**64 - 1
_NUMERIC = frozenset({Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})


def check_values(stream: str, values: Sequence[str], columns: Sequence[Column]) -> None:
    """Check that each value has the form of its column; some databases would treat a malformed one as no value.

    Raises:
        WatermarkError: names the column, never the value.
    """
    if len(values) > len(columns):
        raise WatermarkError(
            f"the watermark of stream {stream!r} holds {len(values)} values for {len(columns)} columns; nothing was"
            f" read. {_remedy(stream)}"
        )
    for at, (text, column) in enumerate(zip(values, columns, strict=False)):
        if not _fits(text, column, first=not at):
            raise WatermarkError(
                f"the watermark of stream {stream!r} holds a text for column {column.name!r} that is not a value of its"
                f" type {column.type!r}; nothing was read. {_remedy(stream)}"
            )


def as_read(at: Watermark | None, columns: Sequence[Column]) -> Watermark | None:
    """Return a watermark with values in the current text format: earlier releases stored SINGLE values differently."""
    if at is None or at.values is None or all(column.kind is not Kind.SINGLE for column in columns):
        return at
    pairs = zip(at.values, columns, strict=False)
    return at._replace(values=tuple(shortest(text) if one.kind is Kind.SINGLE else text for text, one in pairs))


def _fits(text: str, column: Column, *, first: bool) -> bool:
    """Whether a value fits. Only the first one must be finite; later times may be anything that the database sorts."""
    if column.kind in TEMPORAL:
        return not first or _DATE.match(text) is not None
    try:
        if column.kind is Kind.INTEGER:
            return _LEAST <= int(text) <= _MOST
        if column.kind in _NUMERIC:
            return Decimal(text).is_finite() or not first
    except (ValueError, InvalidOperation):
        return False
    return True


def _remedy(stream: str) -> str:
    return f"Look at it with {command('show', stream)}, and set it right with {command('set', stream, 'VALUE...')}"
