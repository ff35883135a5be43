"""Codec of each kind of column."""

from __future__ import annotations

import json
from binascii import b2a_base64, unhexlify
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model import Formats
from airflow_legacy_events.envelopes import numbers, texts
from airflow_legacy_events.envelopes.arrays import array_codec
from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError, Texts, all_of_type, same_forms
from airflow_legacy_events.envelopes.timestamps import Clock


def codec_for(
    kind: Kind, clock: Clock, formats: Formats, elements: Elements | None = None, *, checked: bool = False
) -> Codec:
    """Return the codec of one kind.

    Args:
        kind: of a column, or of an array's elements.
        clock: reads naive times.
        formats: how values are written.
        elements: of an array.
        checked: see `core.columns.Column`.
    """
    if checked and (found := _checked(kind, formats)):
        return found
    if kind is Kind.ARRAY and elements is not None:
        return array_codec(codec_for(elements.kind, clock, formats, elements.elements), elements.delimiter)
    if kind is Kind.TIMESTAMP:
        return texts.TEXT if formats.times == "naive" else moments(clock, checked=checked)
    if kind is Kind.INSTANT:
        return _moments(clock, partial(clock.instants, checked=checked))
    return _codecs(formats)[kind]


def moments(clock: Clock, *, checked: bool = False) -> Codec:
    """Return the codec that writes naive times in UTC.

    Args:
        clock: reads them.
        checked: see `core.columns.Column`.
    """
    return _moments(clock, partial(clock.locals, checked=checked))


def _moments(clock: Clock, convert: Callable[[Sequence[str]], Texts | None]) -> Codec:
    def one(value: Any) -> tuple[str, str]:
        if not isinstance(value, str):
            raise InvalidValueError
        text = clock.instant(value)
        return text, text

    return Codec(lambda values: same_forms(convert(values)), one, wrapped=True)


def _checked(kind: Kind, formats: Formats) -> Codec | None:
    """Return the codec for texts that the database guarantees well-formed, which are passed through unchanged."""
    if (kind is Kind.INTEGER and formats.bigints != "number") or (
        kind is Kind.DECIMAL and formats.decimals != "string"
    ):
        return None
    return _CHECKED.get(kind)


_BOOLEANS: dict[Any, str] = {
    **dict.fromkeys(("t", "true", "True", "1", 1), "true"),  # 1 is the same key as True
    **dict.fromkeys(("f", "false", "False", "0", 0), "false"),
}


def _booleans(values: Sequence[Any]) -> Forms | None:
    return same_forms(list(map(_BOOLEANS.__getitem__, values)))


def _boolean(value: Any) -> tuple[str, str]:
    return _BOOLEANS[value], _BOOLEANS[value]


_check_json = msgspec.json.Decoder(msgspec.Raw).decode


def _jsons(values: Sequence[Any]) -> Forms | None:
    if not all_of_type(str, values):
        return None
    for _ in map(_check_json, values):
        pass
    return values, values


def _checked_jsons(values: Sequence[Any]) -> Forms | None:
    return (values, values) if all_of_type(str, values) else None


def _json(value: Any) -> tuple[str, str]:
    if type(value) in (int, float):  # SQLite stores digits as numbers in a column declared JSON
        return (numbers.INTEGER if type(value) is int else numbers.FLOAT).one(value)
    if not isinstance(value, str):
        raise InvalidValueError
    value.encode()
    json.loads(value, parse_constant=_refuse)
    return value, value


def _refuse(_: str) -> None:
    raise InvalidValueError


def _raw(value: Any) -> bytes:
    if isinstance(value, str):
        if not value.startswith("\\x"):
            raise InvalidValueError
        value = unhexlify(value[2:])
    if not isinstance(value, bytes):
        raise InvalidValueError
    return value


def _base64(value: Any) -> str:
    return b2a_base64(_raw(value), newline=False).decode()


def _hex(value: Any) -> str:
    return _raw(value).hex()


def _bytes(write: Callable[[Any], str]) -> Codec:
    return Codec(
        lambda values: same_forms(list(map(write, values))),
        lambda value: (write(value), write(value)),
        wrapped=True,
        never_empty=False,
    )


def _by_python_type(codecs: Mapping[type, Codec]) -> Codec:
    """Return the codec that writes each value by its Python type."""

    def one(value: Any) -> tuple[str, str]:
        found = codecs.get(type(value))
        if found is None:
            raise InvalidValueError
        text, form = found.one(value)
        return text, f'"{form}"' if found.wrapped else form

    def block(values: Sequence[Any]) -> Forms | None:
        found = codecs.get(type(values[0]))
        if found is None or not all_of_type(type(values[0]), values):
            return None
        forms = found.block(values)
        return forms if forms is None or not found.wrapped else (forms[0], [f'"{form}"' for form in forms[1]])

    return Codec(block, one, plain=False, never_empty=False)


def _codecs(formats: Formats) -> dict[Kind, Codec]:
    integer = _INTEGERS[formats.bigints]
    decimal = _DECIMALS[formats.decimals]
    bytes_ = _BYTES[formats.bytes]
    return {
        Kind.INTEGER: integer,
        Kind.DECIMAL: decimal,
        Kind.MONEY: numbers.money(decimal),
        Kind.FLOAT: numbers.FLOAT,
        Kind.SINGLE: numbers.SINGLE,
        Kind.BOOLEAN: _BOOLEAN,
        Kind.TEXT: texts.TEXT,
        Kind.DATE: texts.TEXT,
        Kind.TIME: texts.TEXT,
        Kind.UUID: texts.TEXT,
        Kind.JSON: Codec(_jsons, _json, plain=False),
        Kind.BYTES: bytes_,
        Kind.ANY: _by_python_type({int: integer, float: numbers.FLOAT, bool: _BOOLEAN, str: texts.TEXT, bytes: bytes_}),
    }


_CHECKED = {
    Kind.INTEGER: numbers.INTEGER._replace(block=texts.written),
    Kind.DECIMAL: numbers.DECIMAL._replace(block=texts.written),
    Kind.JSON: Codec(_checked_jsons, _json, plain=False),
    **dict.fromkeys((Kind.DATE, Kind.TIME, Kind.UUID), texts.WRITTEN),
}
_BOOLEAN = Codec(_booleans, _boolean)
_INTEGERS = {"number": numbers.INTEGER, "string": numbers.SAFE_INTEGER}
_DECIMALS = {"string": numbers.DECIMAL, "number": numbers.NUMBER}
_BYTES = {"base64": _bytes(_base64), "hex": _bytes(_hex)}
