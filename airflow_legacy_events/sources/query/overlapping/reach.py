"""Reach of an overlap: where the rows begin that are read again below a watermark."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.first_value import first_value
from airflow_legacy_events.sources.place import Start, Values


@dataclass(frozen=True)
class Reach:
    """How far below a watermark rows are read again.

    Attributes:
        length: of the overlap.
        column: the first one of the position, a date or time.
        timezone: name of the zone of a naive `column`.
    """

    length: dt.timedelta
    column: Column
    timezone: str

    def low(self, values: Values, least: str | None = None, final: str | None = None) -> Start:
        """Return where the rows begin that are read again, rounded down to a whole second; inclusive.

        A naive time may lie in an hour that the local clock repeats, or behind one that it leaves out. Both are
        measured such that too many rows are read rather than too few.

        Args:
            values: of the watermark.
            least: text of the value at which the stream began; it begins no lower. None: with any.
            final: text of the bound below which no row can appear any more; it begins no higher. None: at any.
        """
        moment = moment_of(values[0])
        text = None if moment is None else self._text(moment)
        if final is not None and text is not None and self.second(final) < self.second(text):
            text = final
        if least is not None and (text is None or self.second(text) < self.second(least)):
            text = least
        return Start(()) if text is None else Start((text,), included=True)

    def second_of(self, start: Start) -> int:
        """Return the second at which rows begin; see `second`."""
        return self.second(start.values[0]) if start.values else 0

    def second(self, text: str) -> int:
        """Return the second of a value since 1970, by its own clock; 0 for an earlier one, or one that is no time."""
        moment = moment_of(text)
        return 0 if moment is None else max(0, calendar.timegm(moment.utctimetuple()))

    def is_below(self, text: str, other: str) -> bool:
        """Return whether a time is known to be below another one."""
        one, bound = (_naive(moment_of(found)) for found in (text, other))
        return one is not None and bound is not None and one < bound

    def _text(self, moment: dt.datetime) -> str | None:
        """Return the text of the begin of the overlap below a moment; None if every time sorts above it."""
        try:
            return first_value(self._before(moment), self.column, zone_named(self.timezone), argument="overlap")
        except (OverflowError, ConfigurationError):
            return None

    def _before(self, moment: dt.datetime) -> dt.datetime:
        if self.column.kind is Kind.INSTANT:
            aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            return (aware.astimezone(dt.UTC) - self.length).replace(microsecond=0)
        zone, local = zone_named(self.timezone), moment.replace(tzinfo=None)
        elapsed = (local.replace(tzinfo=zone).astimezone(dt.UTC) - self.length).astimezone(zone).replace(tzinfo=None)
        return min(local - self.length, elapsed).replace(microsecond=0)


def _naive(moment: dt.datetime | None) -> dt.datetime | None:
    return moment if moment is None or moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def moment_of(text: str) -> dt.datetime | None:
    """Return the time of a text; None if it is none, such as one of the year 0."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
