"""Debezium's semantic types: what a number or text of a message with a schema stands for.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Annotated, Any, TypeAlias

import msgspec

from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.wire import wire
from airflow_legacy_events.envelopes.gregorian import date_of

Semantic: TypeAlias = Callable[[Wire], Wire]


_MOST_SCALE = 100_000


class _Variable(msgspec.Struct):
    scale: Annotated[int, msgspec.Meta(ge=-_MOST_SCALE, le=_MOST_SCALE)]
    value: str


_VARIABLE = msgspec.json.Decoder(_Variable)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY = 86_400
_MOST_BITS = 1 << 20
_LONGEST = 20
"""Characters of an integer of eight bytes."""
_INFINITE = {
    "date": {2147483647: "infinity", -2147483648: "-infinity"},
    "us": {9223372036825200000: "infinity", -9223372036832400000: "-infinity"},
}
"""Numbers that PostgreSQL's infinite values become; see io.debezium.connector.postgresql.connection.DateTimeFormat."""


def number_of(found: Wire) -> int:
    """Return an integer.

    Raises:
        NotUnderstoodError: it is none.
    """
    if found.form is not Form.NUMBER or len(found.text) > _LONGEST:
        return _refuse()
    try:
        return int(found.text)
    except ValueError:
        return _refuse()


def date(found: Wire) -> Wire:
    """Days since 1970-01-01."""
    days = number_of(found)
    return _text(_INFINITE["date"].get(days) or "".join(_day(days)))


def moment(unit: str, offset: str) -> Semantic:
    """Return the semantic of a number of units since 1970-01-01, with `Z` behind it or nothing."""
    per_second = _SECOND[unit]

    def convert(found: Wire) -> Wire:
        number = number_of(found)
        if number in _INFINITE.get(unit, {}):
            return _text(_INFINITE[unit][number])
        seconds, rest = divmod(number, per_second)
        days, second = divmod(seconds, _DAY)
        (day, era), minutes = _day(days), second // 60
        fraction = str(rest).zfill(len(str(per_second)) - 1)
        return _text(f"{day}T{minutes // 60:02}:{minutes % 60:02}:{second % 60:02}.{fraction}{offset}{era}")

    return convert


def clock(unit: str) -> Semantic:
    """Return the semantic of a number of units since midnight."""
    per_second = _SECOND[unit]

    def convert(found: Wire) -> Wire:
        seconds, rest = divmod(number_of(found), per_second)
        if seconds == _DAY and not rest:
            return _text("24:00:00")
        sign = "-" if seconds < 0 else ""
        if seconds < 0:  # MySQL's TIME is a span
            total = -number_of(found)
            seconds, rest = divmod(total, per_second)
        hours, minutes = divmod(seconds // 60, 60)
        fraction = str(rest).zfill(len(str(per_second)) - 1)
        return _text(f"{sign}{hours:02}:{minutes:02}:{seconds % 60:02}.{fraction}")

    return convert


def decimal(scale: int) -> Semantic:
    """Return the semantic of unscaled bytes in base64."""

    def convert(found: Wire) -> Wire:
        if found.form is Form.NUMBER:  # the converter's decimal.format is NUMERIC
            return found
        number = int.from_bytes(_bytes(found), "big", signed=True)
        with localcontext() as context:
            context.prec = max(28, number.bit_length() // 3 + abs(scale) + 2)
            return Wire(Form.NUMBER, f"{Decimal(number).scaleb(-scale):f}")

    return convert


def variable_decimal(found: Wire) -> Wire:
    """A decimal with its own scale, `{"scale":2,"value":"BOI="}`."""
    try:
        one = _VARIABLE.decode(found.text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotUnderstoodError("VALUE", "it is no decimal with a scale of its own") from None
    return decimal(one.scale)(Wire(Form.TEXT, one.value))


def document(found: Wire) -> Wire:
    """JSON in a text."""
    return Wire(Form.DOCUMENT, found.text)


def elements(semantic: Semantic) -> Semantic:
    """Return the semantic of an array whose elements have one."""

    def convert(found: Wire) -> Wire:
        try:
            values = [wire(one) for one in _ELEMENTS.decode(found.text)]
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NotUnderstoodError("VALUE", "a value that its schema calls an array is none") from None
        written = ["null" if one is None else _json(semantic(one)) for one in values]
        return Wire(Form.DOCUMENT, f"[{','.join(written)}]")

    return convert


def duration(unit: str) -> Semantic:
    """Return the semantic of a span of time in units: the ISO 8601 text in seconds."""
    per_second = _SECOND[unit]

    def convert(found: Wire) -> Wire:
        number = number_of(found)
        seconds, rest = divmod(abs(number), per_second)
        sign = "-" if number < 0 else ""
        return _text(f"PT{sign}{seconds}.{str(rest).zfill(len(str(per_second)) - 1)}S")

    return convert


def bits(length: int) -> Semantic:
    """Return the semantic of bits as little-endian bytes in base64: the digits, the highest first.

    Debezium gives `bit varying` without a limit the highest length there is; its zeros in front are not known.
    """
    width = length if 0 < length <= _MOST_BITS else 1

    def convert(found: Wire) -> Wire:
        if found.form is Form.BOOLEAN:
            return found
        return _text(f"{int.from_bytes(_bytes(found), 'little'):0{width}b}")

    return convert


def semantic_of(schema: Mapping[str, Any]) -> Semantic | None:
    """Return the semantic of a field's schema; None if its value says itself what it is.

    Raises:
        ValueError: its parameters make no sense.
    """
    name, parameters = schema.get("name"), schema.get("parameters") or {}
    if name == "org.apache.kafka.connect.data.Decimal":
        scale = int(parameters.get("scale", 0))
        if abs(scale) > _MOST_SCALE:
            raise ValueError("no decimal has so many digits")
        return decimal(scale)
    if name == "io.debezium.data.Bits":
        return bits(int(parameters.get("length", 1)))
    if schema.get("type") == "array" and isinstance(items := schema.get("items"), Mapping):
        element = semantic_of(items)
        return None if element is None else elements(element)
    return _SEMANTICS.get(str(name))


_SEMANTICS: Mapping[str, Semantic] = {
    "io.debezium.time.Date": date,
    "org.apache.kafka.connect.data.Date": date,
    "io.debezium.time.Time": clock("ms"),
    "org.apache.kafka.connect.data.Time": clock("ms"),
    "io.debezium.time.MicroTime": clock("us"),
    "io.debezium.time.NanoTime": clock("ns"),
    "io.debezium.time.Timestamp": moment("ms", ""),
    "io.debezium.time.MicroTimestamp": moment("us", ""),
    "io.debezium.time.NanoTimestamp": moment("ns", ""),
    "org.apache.kafka.connect.data.Timestamp": moment("ms", ""),
    "io.debezium.time.MicroDuration": duration("us"),
    "io.debezium.time.NanoDuration": duration("ns"),
    "io.debezium.data.Json": document,
    "io.debezium.data.VariableScaleDecimal": variable_decimal,
}


def _day(days: int) -> tuple[str, str]:
    """Return a day of any age as PostgreSQL writes it, and ` BC` if it is that old."""
    year, month, day = date_of(days)
    written, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{written:04}-{month:02}-{day:02}", era


def _bytes(found: Wire) -> bytes:
    try:
        return binascii.a2b_base64(found.text.encode("ascii"), strict_mode=True)
    except (ValueError, UnicodeEncodeError):
        raise NotUnderstoodError("VALUE", "a value that its schema calls bytes is no base64") from None


def _json(found: Wire) -> str:
    return found.text if found.form is not Form.TEXT else msgspec.json.encode(found.text).decode()


def _text(text: str) -> Wire:
    return Wire(Form.TEXT, text)


def _refuse() -> int:
    raise NotUnderstoodError("VALUE", "a value that its schema calls a number is none")
