"""Which codec each kind has."""

from __future__ import annotations

import json
import re
from binascii import b2a_base64, unhexlify
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

import msgspec

from airflow_legacy_events.core.model import Kind
from airflow_legacy_events.envelopes import numbers
from airflow_legacy_events.envelopes.codec import Block, Codec, MisfitError, Texts, only, twice
from airflow_legacy_events.envelopes.moments import Clock


def codec(kind: Kind, clock: Clock) -> Codec:
    """Return the codec of one kind; `clock` reads naive times."""
    if kind is Kind.TIMESTAMP:
        return _moments(clock, clock.locals)
    if kind is Kind.INSTANT:
        return _moments(clock, clock.instants)
    return _CODECS[kind]


def _moments(clock: Clock, usual: Callable[[Sequence[str]], Texts | None]) -> Codec:
    def one(value: Any) -> tuple[str, str]:
        if not isinstance(value, str):
            raise MisfitError
        text = clock.instant(value)
        return text, text

    return Codec(lambda values: twice(usual(values)), one, wrapped=True)


_BOOLEANS: dict[Any, str] = {
    **dict.fromkeys(("t", "true", "True", "1", 1), "true"),  # 1 is the same key as True
    **dict.fromkeys(("f", "false", "False", "0", 0), "false"),
}


def _booleans(values: Sequence[Any]) -> Block | None:
    return twice(list(map(_BOOLEANS.__getitem__, values)))


def _boolean(value: Any) -> tuple[str, str]:
    return _BOOLEANS[value], _BOOLEANS[value]


def _texts(values: Sequence[Any]) -> Block | None:
    forms = list(map(quoted, values))
    joined = "".join(forms)
    if not joined.isascii():
        joined.encode()  # half a surrogate pair is a ValueError
    return values, forms


def _text(value: Any) -> tuple[str, str]:
    if not isinstance(value, str):
        raise MisfitError
    value.encode()
    return value, quoted(value)


def _dates(values: Sequence[Any]) -> Block | None:
    found = _texts(values)
    return None if "-00" in "\n".join(values) else found


def _date(value: Any) -> tuple[str, str]:
    if isinstance(value, str) and _NO_DAY.match(value):
        raise MisfitError  # MySQL keeps 0000-00-00 and 2026-11-00
    return _text(value)


_NO_DAY = re.compile(r"[0-9]+-(?:00-[0-9]|[0-9][0-9]-00)")
_check_json = msgspec.json.Decoder(msgspec.Raw).decode


def _jsons(values: Sequence[Any]) -> Block | None:
    if not only(str, values):
        return None
    for _ in map(_check_json, values):
        pass
    return values, values


def _json(value: Any) -> tuple[str, str]:
    if type(value) in (int, float):
        return _own(value)  # a column that SQLite declares JSON turns digits into numbers
    if not isinstance(value, str):
        raise MisfitError
    value.encode()
    json.loads(value, parse_constant=_refuse)
    return value, value


def _refuse(_: str) -> None:
    raise MisfitError


def _bytes(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        if not value.startswith("\\x"):
            raise MisfitError
        value = unhexlify(value[2:])
    if not isinstance(value, bytes):
        raise MisfitError
    text = b2a_base64(value, newline=False).decode()
    return text, text


def _bytes_block(values: Sequence[Any]) -> Block | None:
    return twice([_bytes(value)[0] for value in values])


_OWN: dict[type, Codec] = {}


def _own(value: Any) -> tuple[str, str]:
    found = _OWN.get(type(value))
    if found is None:
        raise MisfitError
    text, form = found.one(value)
    return text, f'"{form}"' if found.wrapped else form


def _owns(values: Sequence[Any]) -> Block | None:
    found = _OWN.get(type(values[0]))
    if found is None or found.wrapped or not only(type(values[0]), values):
        return None
    return found.block(values)


_TEXT = Codec(_texts, _text, plain=False, never_empty=False)
_DATE = Codec(_dates, _date, plain=False, never_empty=False)
_BOOLEAN = Codec(_booleans, _boolean)
_BYTES = Codec(_bytes_block, _bytes, wrapped=True, never_empty=False)
_OWN.update({int: numbers.INTEGER, float: numbers.FLOAT, bool: _BOOLEAN, str: _TEXT, bytes: _BYTES})
_CODECS = {
    Kind.INTEGER: numbers.INTEGER,
    Kind.DECIMAL: numbers.DECIMAL,
    Kind.FLOAT: numbers.FLOAT,
    Kind.BOOLEAN: _BOOLEAN,
    Kind.TEXT: _TEXT,
    Kind.DATE: _DATE,
    Kind.TIME: _TEXT,
    Kind.UUID: _TEXT,
    Kind.JSON: Codec(_jsons, _json, plain=False),
    Kind.BYTES: _BYTES,
    Kind.ANY: Codec(_owns, _own, plain=False, never_empty=False),
}
