"""Types that the database writes as text and Debezium does not: bits, intervals, points and `hstore`."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from struct import pack

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.envelopes import texts
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.debezium import times
from airflow_legacy_events.envelopes.debezium.mapping import mapped

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_PAIR = re.compile(rf"{_TEXT}=>(?:{_TEXT}|NULL)(?:, |$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_POINT = re.compile(r"\(([^,()]+),([^,()]+)\)")
_LITTLE_ENDIAN, _WKB_POINT = 1, 1


def finite(column: Column, convert: Callable[[str], int], what: str) -> Callable[[str], str]:
    """Return a function that writes numbers, and refuses infinities.

    Args:
        column: whose values they are.
        convert: returns the number of a text.
        what: a value that is refused.
    """

    def write(text: str) -> str:
        if text in times.INFINITE:
            raise EnvelopeError(
                f"column {column.name!r} holds {what}: use envelope='cloudevents', or exclude_columns=; no row of its"
                " batch was sent. Debezium would send a number that looks like any other"
            )
        return str(convert(text))

    return write


def codec_of(column: Column, type_: str) -> Codec:
    """Return the codec of a column that the database reads as text.

    Args:
        column: whose values they are.
        type_: the database's name of its type, without precision.
    """
    if type_ == "interval":
        return mapped(finite(column, times.duration, "an infinite interval"))
    return _CODECS.get(type_, texts.TEXT)


def _bit(text: str) -> str:
    """Return a single bit as a boolean, several as bytes."""
    return ("true" if _number(text) else "false") if len(text) == 1 else _bits(text)


def _bits(text: str) -> str:
    """Return bits as bytes in base64, from the lowest one on, without those that hold no bit."""
    number = _number(text)
    return f'"{b64encode(number.to_bytes((number.bit_length() + 7) // 8, "little")).decode()}"'


def _number(text: str) -> int:
    if text.strip("01"):
        raise ValueError("no bits")
    return int(text or "0", 2)


def _point(text: str) -> str:
    """Return a point with its well-known binary."""
    found = _POINT.fullmatch(text)
    if found is None:
        raise ValueError("no point")
    x, y = float(found[1]), float(found[2])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("no finite point")
    wkb = b64encode(pack("<BIdd", _LITTLE_ENDIAN, _WKB_POINT, x, y)).decode()
    return f'{{"x":{x!r},"y":{y!r},"wkb":"{wkb}","srid":null}}'


def _hstore(text: str) -> str:
    """Return pairs as a JSON object in a text."""
    pairs: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            raise ValueError("no pairs")
        pairs[_unescaped(found[1])] = None if found[2] is None else _unescaped(found[2])
        at = found.end()
    return quoted(json.dumps(pairs, ensure_ascii=False, separators=(",", ":")))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


_CODECS = {
    "bit": mapped(_bit),
    "bit varying": mapped(_bits),
    "varbit": mapped(_bits),
    "point": mapped(_point),
    "hstore": mapped(_hstore),
}
