"""Timestamps as databases write them, converted to RFC 3339 in UTC.

A local time that occurs twice means its first occurrence. A local time skipped in spring is read with the offset from
before the jump (`fold=0` of PEP 495): if the clock goes from 02:00 to 03:00, 02:30 means 03:30.

Values that RFC 3339 can't represent stay as the database's own text: `infinity`, and years before 1 and after 9999 in
UTC, such as `0044-03-15 12:00:00 BC`. The same holds for MariaDB's invalid days such as `0000-00-00 00:00:00`, even in
its points in time, which it writes without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.zones import zone_named

_TEXT = re.compile(
    r"(?P<year>[0-9]{4,7})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[ T](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]*))?)?)?"
    r" ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?(?P<era> BC)?"
)
_PARTS = ("month", "day", "hour", "minute", "second")
_INFINITE = frozenset({"infinity", "-infinity"})
_TO_UTC = bytes.maketrans(b" +Z", b"TZ?")
_REGULAR = b"0000-00-00T00:00:00.000000Z00\n"
_LIMITS = ((8, 1, 31), (5, 1, 12), (11, 0, 23))  # where, lowest, highest
_SIXTIES = (14, 17)  # where minutes and seconds are
_FIXED = ((4, b"-"), (10, b"T"), (26, b"Z"))
_DOUBTFUL_DAY = re.compile(rb"-02-(?:29|3)|-(?:04|06|09|11)-31")
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_YEARS = range(2, 9998)  # datetime's, less a margin for offsets
_CYCLE = 400  # years after which the Gregorian calendar repeats, weekdays included
_WRITABLE = range(1, 10_000)
_RFC_3339 = re.compile(r"(?!0000)[0-9]{4}-(?!00)[0-9]{2}-(?!00)[0-9]{2}T")
_EXACT, _WHOLE = len("2026-11-23 09:15:02.123456"), len("2026-11-23 09:15:02")


class Clock:
    """Reads naive times in one zone.

    Raises:
        EnvelopeError: `timezone` is not a zone known on this machine.
    """

    def __init__(self, timezone: str) -> None:
        try:
            self._zone = zone_named(timezone)
        except ValueError as error:
            raise EnvelopeError(
                f"source_timezone {timezone!r} is not a known time zone; name one of the IANA database, such as"
                " 'Europe/Berlin'"
            ) from error
        self._utc = timezone == "UTC"
        self._hours = self._prefixes = _Prefixes(self._zone, "2026-11-23 09")
        self._minutes = _Prefixes(self._zone, "2026-11-23 09:15")

    def instants(self, values: Sequence[str], *, checked: bool = False) -> list[str] | None:
        """Return texts like `2026-11-23 09:15:02[.123456]+00` in RFC 3339; None unless all have this form.

        Args:
            values: as the database writes them.
            checked: whether the database guarantees days and digits, so that only the form needs a check.
        """
        missing = {length: _missing(length - len("+00")) for length in set(map(len, values))}
        if len(missing) == 1:
            lines = "\n".join(values).replace("+", f"{missing.popitem()[1]}+")
        else:
            usual = _EXACT + len("+00")
            lines = "\n".join([v if len(v) == usual else f"{v[:-3]}{missing[len(v)]}{v[-3:]}" for v in values])
        return _converted(lines, len(values), checked=checked)

    def locals(self, values: Sequence[str], *, checked: bool = False) -> list[str] | None:
        """Return texts like `2026-11-23 09:15:02[.123456]` in UTC; None unless all have this form.

        Args:
            values: as the database writes them.
            checked: see `instants`.
        """
        if self._utc:
            return _padded(values, checked=checked)
        found = self._prefixes.replaced(values, checked=checked)
        if found is None and self._prefixes is self._hours:
            found = self._minutes.replaced(values, checked=checked)
            self._prefixes = self._hours if found is None else self._minutes
        return found

    def instant(self, text: str) -> str:
        """Return any text in UTC, or unchanged if RFC 3339 can't represent it; without a zone it is a local time.

        Raises:
            ValueError: it is not a point in time.
        """
        if text in _INFINITE:
            return text
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError("no point in time")
        year = int(found["year"]) if found["era"] is None else 1 - int(found["year"])
        near = _near(year)
        month, day, hour, minute, second = (int(found[name] or 0) for name in _PARTS)
        local = datetime(near, month or 1, day or 1, hour, minute, second)  # noqa: DTZ001  its zone comes next
        moment = self._to_utc(local, found["zone"])
        year += moment.year - near
        if not month or not day:
            return text.removesuffix("+00")  # added by us, since MariaDB writes no zone
        if year not in _WRITABLE:
            return text
        return f"{year:04}{moment.isoformat()[4:19]}.{found['fraction'] or '':0<6}Z"

    def _to_utc(self, local: datetime, zone: str | None) -> datetime:
        if zone is None:
            return local.replace(tzinfo=self._zone).astimezone(UTC)
        digits = f"{zone[1:].replace(':', '')}000000"
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
        return local + offset if zone[0] == "-" else local - offset


def is_rfc3339(text: str) -> bool:
    """Whether a text returned by `Clock` is an RFC 3339 time and not the database's own text."""
    return _RFC_3339.match(text) is not None and text.endswith("Z")


class _Prefixes(dict[str, str]):
    """Cache of the UTC prefixes of local hours, or minutes; empty if it depends on the rest of the text."""

    _KEPT = 10_000

    def __init__(self, zone: tzinfo, like: str) -> None:
        self._zone, self._width = zone, len(like)
        self._form = re.compile(re.sub("[0-9]", "[0-9]", like))
        self._unit = timedelta(minutes=1) if ":" in like else timedelta(hours=1)

    def replaced(self, values: Sequence[str], *, checked: bool) -> list[str] | None:
        """Return `values` in UTC; None if replacing the prefix is not enough for some."""
        at = self._width
        return _padded([f"{self[v[:at]]}{v[at:]}" for v in values], checked=checked)

    def __missing__(self, local: str) -> str:
        if len(self) >= self._KEPT:
            self.clear()
        self[local] = prefix = self._convert(local)
        return prefix

    def _convert(self, local: str) -> str:
        if not self._form.fullmatch(local):
            return ""
        try:
            first = datetime.fromisoformat(local if ":" in local else f"{local}:00").replace(tzinfo=self._zone)
            last = first + self._unit - timedelta(seconds=1)
            offset = first.utcoffset() or timedelta()
            if offset != last.utcoffset() or offset % self._unit:
                return ""
            return (first.replace(tzinfo=None) - offset).isoformat()[: self._width]
        except (ValueError, OverflowError):
            return ""


def _padded(values: Sequence[str], *, checked: bool) -> list[str] | None:
    missing, end, padded = {length: _missing(length) for length in set(map(len, values))}, "+00", values
    if len(missing) == 1:
        end = f"{missing.popitem()[1]}{end}"
    else:
        padded = [v if len(v) == _EXACT else f"{v}{missing[len(v)]}" for v in values]
    return _converted(f"{end}\n".join(padded) + end, len(values), checked=checked)


def _missing(length: int) -> str:
    """Return what a local time of `length` characters lacks to microseconds."""
    return ".000000" if length == _WHOLE else "0" * (_EXACT - length)


def _converted(lines: str, count: int, *, checked: bool) -> list[str] | None:
    """Return lines like `2026-11-23 09:15:02.123456+00` in RFC 3339; None unless all `count` have this form.

    All lines are checked at once, which is a third cheaper than slicing each.
    """
    written = f"{lines}\n".encode().translate(_TO_UTC)
    if not (_has_form(written, count) if checked else _is_regular(written, count)):
        return None
    found = written.decode().split("00\n")  # does not split at other offsets, such as +02
    return found[:-1] if len(found) == count + 1 else None


def _has_form(written: bytes, count: int) -> bool:
    """Whether lines of valid times have this form: not infinite, not BC, no year above 9999."""
    if len(written) != len(_REGULAR) * count or b"B" in written:
        return False
    return all(written[at :: len(_REGULAR)] == mark * count for at, mark in _FIXED)


def _is_regular(written: bytes, count: int) -> bool:
    """Whether each line has this form, and a day and time that certainly exist."""
    if written.translate(_DIGITS) != _REGULAR * count or not _exist(written, count):
        return False
    return not (written.startswith(b"0000") or b"\n0000" in written)


def _exist(written: bytes, count: int) -> bool:
    """Whether day and time of every regular line certainly exist; False for 29 February, which may not exist.

    Days, months and hours of all lines become one big integer each, with one byte a line. Each is compared with its
    limits in one addition.
    """
    if any(written[at :: len(_REGULAR)].strip(b"012345") for at in _SIXTIES):
        return False
    each = int.from_bytes(b"\x01" * count)
    over = each << 7
    fields = []
    for at, lowest, highest in _LIMITS:
        tens, ones = int.from_bytes(written[at :: len(_REGULAR)]), int.from_bytes(written[at + 1 :: len(_REGULAR)])
        numbers = 10 * tens + ones - each * (10 * ord("0") + ord("0"))
        if (numbers + each * (127 - highest)) & over or (numbers + each * (128 - lowest)) & over != over:
            return False
        fields.append(numbers)
    every_month_has_them = not (fields[0] + each * (127 - 28)) & over
    return every_month_has_them or not _DOUBTFUL_DAY.search(written)


def _near(year: int) -> int:
    """Return the year, or one with the same calendar and zone rules that is within datetime's range."""
    if year in _YEARS:
        return year
    return year % _CYCLE + (_CYCLE if year < _YEARS.start else 23 * _CYCLE)
