"""Numbers: decimals as unscaled bytes or as texts, and floats."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.envelopes import numbers
from airflow_legacy_events.envelopes.column_codec import Codec, Forms
from airflow_legacy_events.envelopes.debezium.mapping import mapped

_CENTS = 2
_DECIMAL = re.compile(r"-?[0-9]+(?:\.([0-9]+))?")
_SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})
_SHORT = 4_000
"""Digits that `int` reads at once; more take a detour."""

_MOST_SCALE, _SCALES = 1_000, 2_048
"""A scale below zero is described by the driver as one above the highest: 2046 is -2."""


def decimal_codec(column: Column, scale: int | None, *, precise: bool) -> Codec:
    """Return the codec of decimals or money.

    Args:
        column: whose values they are.
        scale: of the type; None if each value has its own.
        precise: whether they are bytes: the unscaled number in two's complement, in base64, which for values with a
            scale of their own is beside it in an object. Else they are texts.
    """
    if column.kind is Kind.MONEY:
        return numbers.money(mapped(_fixed(column, _CENTS)) if precise else numbers.DECIMAL)
    if not precise:
        return numbers.DECIMAL
    if scale is None:
        return mapped(_variable(column))
    return mapped(_fixed(column, scale - _SCALES if scale > _MOST_SCALE else scale))


def unscaled(column: Column) -> Callable[[str], str]:
    """Return a function that writes decimals as bytes, of a database whose texts have all digits of the type."""

    def write(text: str) -> str:
        _fraction(column, text)
        return f'"{_base64(_whole(text.replace(".", "")))}"'

    return write


def float_codec(codec: Codec) -> Codec:
    """Return a codec of floats that writes whole ones with a decimal point, as Java does."""

    def one(value: Any) -> tuple[str, str]:
        text, form = codec.one(value)
        return text, pointed(form)

    def block(values: Sequence[Any]) -> Forms | None:
        found = codec.block(values)
        return None if found is None else (found[0], list(map(pointed, found[1])))

    return codec._replace(block=block, one=one)


def pointed(form: str) -> str:
    """Return the digits of a float, a whole one with a decimal point."""
    return f"{form}.0" if form.removeprefix("-").isdigit() else form


def _fixed(column: Column, scale: int) -> Callable[[str], str]:
    def write(text: str) -> str:
        fraction = _fraction(column, text)
        if len(fraction) > max(scale, 0):
            raise ValueError("more digits than its type")
        digits = text.replace(".", "") + "0" * (scale - len(fraction))
        return f'"{_base64(_whole(digits) if scale >= 0 else _whole(digits) // 10**-scale)}"'

    return write


def _variable(column: Column) -> Callable[[str], str]:
    def write(text: str) -> str:
        fraction = _fraction(column, text)
        kept = fraction.rstrip("0")
        digits = text.replace(".", "")
        unscaled = _whole(digits[: len(digits) - len(fraction) + len(kept)])
        return f'{{"scale":{len(kept)},"value":"{_base64(unscaled)}"}}'

    return write


def _fraction(column: Column, text: str) -> str:
    """Return the digits behind the decimal point.

    Raises:
        EnvelopeError: it is not a finite number.
        ValueError: it is no number.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        if text in _SPECIAL:
            raise EnvelopeError(
                f'column {column.name!r} holds NaN or an infinity: use envelope=DebeziumEnvelope(decimals="string"); no'
                " row of its batch was sent. Debezium's default, decimals as bytes, would make null of it"
            )
        raise ValueError("no decimal")
    return found[1] or ""


def _whole(digits: str) -> int:
    return int(digits) if len(digits) < _SHORT else int(Decimal(digits))


def _base64(number: int) -> str:
    bits = (number if number >= 0 else ~number).bit_length()
    return b64encode(number.to_bytes(bits // 8 + 1, "big", signed=True)).decode()
