"""Values of one column, converted together where they are written in the usual way.

Each function returns the texts that the converter of the column's kind would return, or None if one of the values needs
that converter.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import msgspec

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.values import Options
from airflow_legacy_events.envelopes.decoding.fast import patterns
from airflow_legacy_events.envelopes.decoding.fast.plain import PlainTexts, strings

Texts: TypeAlias = list[str | None]
Quick: TypeAlias = Callable[[Sequence[Any]], Texts | None]
"""Converts the values of a column as they were written; those of `TEXTUAL` kinds may be `PlainTexts` too."""

_MOMENTS = msgspec.json.Decoder(list[dt.datetime])
_APART = b"\0"
"""Stands nowhere in JSON."""
_BOOLEANS: dict[bytes, str | None] = {b"true": "true", b"false": "false", b"null": None}
_SAFE = 10**18


def quick(column: TargetColumn, options: Options) -> Quick | None:
    """Return what converts the values of a column together; None if nothing does."""
    make = _MAKERS.get(column.kind)
    return None if make is None else make(column, options)


def _text(column: TargetColumn, _: Options) -> Quick:
    length = column.length

    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        found = strings(raws)
        if found is None or length is None:
            return found
        return found if max(map(len, filter(None, found)), default=0) <= length else None

    return convert


def _integer(column: TargetColumn, _: Options) -> Quick:
    low = -_SAFE if column.low is None else column.low
    high = _SAFE if column.high is None else column.high
    bounded = low > -_SAFE or high < _SAFE
    fitting = len(str(max(0, min(-low, high)))) - 1
    """Characters of which each number fits."""

    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        found = _written(raws, patterns.INTEGERS)
        if found is not None and bounded and max(map(len, raws), default=0) > fitting:
            numbers = [int(one) for one in found if one is not None]
            if numbers and not low <= min(numbers) <= max(numbers) <= high:
                return None
        return found

    return convert


def _decimal(column: TargetColumn, _: Options) -> Quick | None:
    if (column.scale or 0) < 0:
        return None
    pattern = patterns.decimals(column.precision, column.scale)

    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        found = strings(raws)
        return _written(raws, pattern) if found is None else _matching(found, pattern)

    return convert


def _floating(_column: TargetColumn, _options: Options) -> Quick:
    return lambda raws: _written(raws, patterns.FLOATS)


def _boolean(_column: TargetColumn, _options: Options) -> Quick:
    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        written = b",".join(raws).split(b",")
        if len(written) != len(raws) or not _BOOLEANS.keys() >= set(written):
            return None
        return [_BOOLEANS[one] for one in written]

    return convert


def _matched(pattern: re.Pattern[str]) -> Callable[[TargetColumn, Options], Quick]:
    def make(_column: TargetColumn, _options: Options) -> Quick:
        def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
            found = strings(raws)
            return None if found is None else _matching(found, pattern)

        return convert

    return make


def _time(column: TargetColumn, _: Options) -> Quick:
    return _matched(patterns.times(column.scale))(column, _)


def _moment(column: TargetColumn, options: Options) -> Quick:
    instant, utc = column.kind is Kind.INSTANT, _is_utc(options.zone)
    zoned = patterns.moments(column.scale, zone=patterns.UTC)
    naive = patterns.moments(column.scale, zone="")
    understood = [*([zoned] if utc or instant else []), *([naive] if utc or not instant else [])]
    ending = "+00" if instant else ""

    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        if (utc or instant) and (written := _of_utc(raws, column.scale, ending)) is not None:
            return written
        found = strings(raws)
        if found is None:
            return None
        lines = _lines(found)
        if lines is not None and any(one.fullmatch(lines) for one in understood):
            return _replaced(found, lines, ending)
        return None

    return convert


def _of_utc(values: Sequence[Any], scale: int | None, ending: str) -> Texts | None:
    """Return moments that all end with Z, as a database writes them; None if there is anything else.

    It understands what `patterns.moments` matches: msgspec knows the days of each month, and takes no digit more
    than the length allows.
    """
    digits = 6 if scale is None else min(scale, 6)
    longest = len('"2026-01-01T00:00:00Z"') + (digits + 1 if digits else 0)
    if isinstance(values, PlainTexts):
        if None in values:
            return None
        joined, longest = '"{}"'.format('","'.join(cast("list[str]", values))), longest - 2
    else:
        try:
            joined = b",".join(values).decode()
        except UnicodeDecodeError:
            return None
    plain = joined.count('Z"') == len(values) and "\\" not in joined and "t" not in joined
    if not plain or max(map(len, values), default=0) > longest:
        return None
    try:
        _MOMENTS.decode(f"[{joined}]")
    except msgspec.DecodeError:
        return None
    found: Texts = joined[1:-1].replace("Z", ending).replace("T", " ").split('","')  # type: ignore[assignment]
    return found


def _document(_column: TargetColumn, _options: Options) -> Quick:
    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        try:
            joined = _APART.join(raws).decode()
        except UnicodeDecodeError:
            return None
        if joined.startswith('"') or '\0"' in joined:
            return None
        found: Texts = [*joined.split("\0")]
        return [None if one == "null" else one for one in found] if "null" in found else found

    return convert


def _data(column: TargetColumn, _: Options) -> Quick:
    length = column.length

    def convert(raws: Sequence[msgspec.Raw]) -> Texts | None:
        found = strings(raws)
        if found is None:
            return None
        decode = binascii.a2b_base64
        try:
            plain = [None if one is None else decode(one.encode("ascii"), strict_mode=True) for one in found]
        except ValueError:
            return None
        if length is not None and max(map(len, filter(None, plain)), default=0) > length:
            return None
        return [None if one is None else rf"\x{one.hex()}" for one in plain]

    return convert


def _written(raws: Sequence[msgspec.Raw], pattern: re.Pattern[str]) -> Texts | None:
    """Return values as they were written, if all match; null is None."""
    try:
        joined = b"\n".join(raws).decode("ascii")
    except UnicodeDecodeError:
        return None
    found: Texts = list(joined.split("\n"))
    if "null" in joined:
        found = [None if one == "null" else one for one in found]
        return None if len(found) != len(raws) else _matching(found, pattern)
    return found if len(found) == len(raws) and pattern.fullmatch(f"{joined}\n") else None


def _matching(found: Texts, pattern: re.Pattern[str]) -> Texts | None:
    """Return texts if each that is not None matches."""
    lines = _lines(found)
    return found if lines is not None and pattern.fullmatch(lines) else None


def _lines(found: Texts) -> str | None:
    """Return texts as lines, without those that are None; None if one of them has several lines."""
    there = [one for one in found if one is not None] if None in found else cast("list[str]", found)
    lines = "\n".join([*there, ""])
    return lines if lines.count("\n") == len(there) else None


def _replaced(found: Texts, lines: str, ending: str) -> Texts:
    """Return moments as a database writes them: with a space, and the ending in place of their zone.

    Args:
        found: as they were written.
        lines: the same, as lines.
        ending: of each.
    """
    lines = lines.replace("T", " ").replace("Z", "").replace("+00:00", "")
    written: Texts = [*lines.replace("\n", f"{ending}\n").split("\n")]
    written.pop()
    if len(written) == len(found):
        return written
    each = iter(written)
    return [None if one is None else next(each) for one in found]


def _is_utc(zone: dt.tzinfo) -> bool:
    return zone is dt.UTC or str(zone) == "UTC"


TEXTUAL = frozenset(
    {
        *(Kind.DECIMAL, Kind.MONEY, Kind.TEXT, Kind.ANY, Kind.UUID, Kind.BYTES),
        *(Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT),
    }
)
"""Kinds of columns whose values are mostly JSON texts."""

_MAKERS: dict[Kind, Callable[[TargetColumn, Options], Quick | None]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.MONEY: _text,
    Kind.FLOAT: _floating,
    Kind.SINGLE: _floating,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _text,
    Kind.ANY: _text,
    Kind.UUID: _matched(patterns.IDENTIFIERS),
    Kind.BYTES: _data,
    Kind.JSON: _document,
    Kind.DATE: _matched(patterns.DATES),
    Kind.TIME: _time,
    Kind.TIMESTAMP: _moment,
    Kind.INSTANT: _moment,
}
