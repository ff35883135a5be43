"""Times of a row: the event's time and the message timestamp."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.envelopes.codecs import moments
from airflow_legacy_events.envelopes.column_encoder import EncodedColumn, Values, encode_column
from airflow_legacy_events.envelopes.plan import Field
from airflow_legacy_events.envelopes.timestamps import Clock, is_rfc3339

_KEPT_DATES = 4_096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_KEPT_SECONDS = 4_096
_SECOND, _FRACTION = (
    slice(len("2026-11-23T09:15:02")),
    slice(len("2026-11-23T09:15:02."), len("2026-11-23T09:15:02.123")),
)


class RowTimes:
    """Converts a column's values to points in time.

    Args:
        clock: reads naive times.
        naive: whether naive times are encoded as the database writes them, not in UTC.
    """

    def __init__(self, clock: Clock, *, naive: bool) -> None:
        self._midnight = lru_cache(_KEPT_DATES)(clock.instant)
        self._naive, self._utc = naive, moments(clock)

    def of(self, field: Field, encoded: EncodedColumn, values: Sequence[Any]) -> Values:
        """Return RFC 3339 texts; empty if a value is NULL or RFC 3339 can't represent it.

        Raises:
            EnvelopeError: a value is not a point in time.
        """
        if self._naive and field.kind is Kind.TIMESTAMP:
            encoded = encode_column(field, self._utc, values)
        if encoded.regular and field.kind is not Kind.DATE:
            return encoded.texts
        return [self._one(field, text) for text in encoded.texts]

    def milliseconds(self, field: Field, encoded: EncodedColumn, values: Sequence[Any]) -> list[int | None]:
        """Return milliseconds since 1970-01-01 UTC, truncated; None for NULL.

        Raises:
            EnvelopeError: a value is not a point in time, is infinite, or is at or before the beginning of 1970.
        """
        moments = self.of(field, encoded, values)
        found = [_second(moment[_SECOND]) + int(moment[_FRACTION]) if moment else 0 for moment in moments]
        if min(found, default=1) > 0:
            return list(found)
        nulls = [text is None for text in encoded.texts]
        if any(one <= 0 and not null for one, null in zip(found, nulls, strict=True)):
            raise EnvelopeError(
                f"column {field.name!r} is the message timestamp, but a row holds a time that a broker can't store:"
                " infinite, or not after the beginning of 1970; no row of its batch was sent. Name another"
                " timestamp_column, or make such times NULL with sql=: then the time of sending is used"
            )
        return [None if null else one for one, null in zip(found, nulls, strict=True)]

    def _one(self, field: Field, text: str | None) -> str:
        if text is None:
            return ""
        try:
            moment = self._midnight(text) if field.kind is Kind.DATE else text
        except ValueError:
            raise EnvelopeError(
                f"column {field.name!r} is the time of its events, but a row holds text that is not a date; no row of"
                " its batch was sent. Fix such rows, or leave them out with sql="
            ) from None  # the original error holds the text
        return moment if is_rfc3339(moment) else ""


@lru_cache(_KEPT_SECONDS)
def _second(text: str) -> int:
    """Return milliseconds since 1970-01-01 UTC of a text truncated to seconds; cached, as many rows share one."""
    return (datetime.fromisoformat(f"{text}+00:00") - _EPOCH) // _MILLISECOND
