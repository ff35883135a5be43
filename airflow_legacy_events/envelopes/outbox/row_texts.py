"""Texts of the columns of a batch, and rows refused because of invalid values."""

from __future__ import annotations

import contextlib
from binascii import unhexlify
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from airflow_legacy_events.core.columns import Kind, Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import Batch, Rejection, Stream
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.column_encoder import EncodedColumn, Values, encode_column
from airflow_legacy_events.envelopes.plan import Field
from airflow_legacy_events.envelopes.row_times import RowTimes
from airflow_legacy_events.envelopes.timestamps import Clock

T = TypeVar("T")

INVALID_VALUE = "INVALID_VALUE"
_INVALID_TIMESTAMP = "INVALID_TIMESTAMP"


class Refused:
    """Rows of one batch that must not be sent, each with its first fault."""

    def __init__(self) -> None:
        self._found: dict[int, Rejection] = {}

    def add(self, at: int, error: str, reason: str) -> None:
        """Refuse the row at a place; `reason` must hold no row content."""
        self._found.setdefault(at, Rejection(at, error, reason))

    def add_all(self, more: Sequence[Rejection]) -> None:
        """Add rows that were refused elsewhere."""
        for one in more:
            self._found.setdefault(one.index, one)

    @property
    def rows(self) -> list[Rejection]:
        """All refused rows, in order."""
        return [self._found[at] for at in sorted(self._found)]


class RowTexts:
    """Makes texts of the columns of one shape.

    Args:
        shape: of the rows.
        stream: defines how values are written.
    """

    def __init__(self, shape: Shape, stream: Stream) -> None:
        clock = Clock(stream.source_timezone)
        self._times = RowTimes(clock, naive=stream.formats.times == "naive")
        self._fields = [
            Field(at, column.name, column.kind, column.type, column.elements, column.checked)
            for at, column in enumerate(shape.columns)
        ]
        self._codecs = [
            codec_for(field.kind, clock, stream.formats, field.elements, checked=field.checked)
            for field in self._fields
        ]

    def of(self, at: int, values: Sequence[Any], refused: Refused) -> Values:
        """Return a column's texts, None for NULL; an invalid value also becomes None, and its row is refused."""
        return self._each(values, lambda some: self._encoded(at, some).texts, refused, INVALID_VALUE)

    def moments(self, at: int, values: Sequence[Any], refused: Refused) -> Values:
        """Return a temporal column as RFC 3339 texts, likewise; empty if RFC 3339 can't represent it."""
        field = self._fields[at]
        return self._each(
            values, lambda some: self._times.of(field, self._encoded(at, some), some), refused, INVALID_VALUE
        )

    def milliseconds(self, at: int, values: Sequence[Any], refused: Refused) -> list[int | None]:
        """Return a column as milliseconds since 1970-01-01 UTC, likewise; integers are milliseconds already."""
        field = self._fields[at]
        if field.kind is Kind.INTEGER:
            found = [None if text is None else int(text) for text in self.of(at, values, refused)]
            for place, moment in enumerate(found):
                if moment is not None and moment <= 0:
                    refused.add(
                        place, _INVALID_TIMESTAMP, f"column {field.name!r} holds no time after the beginning of 1970"
                    )
            return found

        def made(some: Sequence[Any]) -> Sequence[int | None]:
            return self._times.milliseconds(field, self._encoded(at, some), some)

        return list(self._each(values, made, refused, _INVALID_TIMESTAMP))

    def _encoded(self, at: int, values: Sequence[Any]) -> EncodedColumn:
        return encode_column(self._fields[at], self._codecs[at], values)

    @staticmethod
    def _each(
        values: Sequence[Any], make: Callable[[Sequence[Any]], Sequence[T | None]], refused: Refused, error: str
    ) -> Sequence[T | None]:
        try:
            return make(values)
        except EnvelopeError:
            pass
        found: list[T | None] = []
        for place, value in enumerate(values):
            try:
                found += make([value])
            except EnvelopeError as fault:
                refused.add(place, error, str(fault).partition(";")[0])
                found.append(None)
        return found


def unescaped(value: Any) -> Any:
    """Return PostgreSQL's text of a binary value as bytes; anything else unchanged."""
    if isinstance(value, str) and value.startswith("\\x"):
        with contextlib.suppress(ValueError):  # SQLite: a text in a binary column
            return unhexlify(value[2:])
    return value


class Columns:
    """Columns of a batch, each made on first access."""

    def __init__(self, batch: Batch) -> None:
        self._rows = batch.rows
        self._made: dict[int, list[Any]] = {}

    def __getitem__(self, at: int) -> Sequence[Any]:
        if at not in self._made:
            self._made[at] = list(map(itemgetter(at), self._rows))
        return self._made[at]
