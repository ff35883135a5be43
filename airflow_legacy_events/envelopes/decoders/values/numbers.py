"""Numbers: every digit is kept, or the value is refused."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_MOST_DIGITS = 150_000
"""More digits than any database holds; an exponent must not make a text of gigabytes."""
_MOST_OF_INTEGER = 4_000
"""Python refuses to convert longer texts; see `sys.int_info.default_max_str_digits`."""
_NOT_FINITE = {
    "nan": "NaN",
    "infinity": "Infinity",
    "inf": "Infinity",
    "+infinity": "Infinity",
    "-infinity": "-Infinity",
    "-inf": "-Infinity",
}
_HIGHEST, _HIGHEST_SINGLE = sys.float_info.max, float.fromhex("0x1.fffffefffffffp127")
_LAST_SINGLE = float.fromhex("0x1.fffffep127")
"""Largest numbers of eight and four bytes; of four bytes, also the largest that is not rounded to infinity."""
_BOOLEANS = {"true": "1", "false": "0"}


def integer(column: TargetColumn, *, rounds: bool) -> Callable[[Wire], str]:
    """Return the converter of an integer column."""
    low, high = column.low, column.high

    def convert(found: Wire) -> str:
        text = _BOOLEANS[found.text] if found.form is Form.BOOLEAN else found.text.strip()
        if _INTEGER.fullmatch(text) is None:
            text = _digits(_decimal(found), 0, rounds=rounds)
        if len(text) > _MOST_OF_INTEGER:
            raise UnfitError("it has too many digits")
        number = int(text)
        if (low is not None and number < low) or (high is not None and number > high):
            raise UnfitError("it is out of range")
        return str(number)

    return convert


def decimal(column: TargetColumn, *, rounds: bool, infinite: bool = True) -> Callable[[Wire], str]:
    """Return the converter of a decimal column; `infinite` if its type has NaN and infinities."""
    precision, scale = column.precision, column.scale

    def convert(found: Wire) -> str:
        special = _NOT_FINITE.get(found.text.strip().lower()) if found.form is Form.TEXT else None
        if special is not None:
            if not infinite or (precision is not None and special != "NaN"):
                raise UnfitError("the type has no such value")
            return special
        number = _decimal(found)
        text = _digits(number, scale, rounds=rounds)
        whole = max(0, precision - (scale or 0)) if precision is not None else None
        if whole is not None and len(text.lstrip("-").partition(".")[0].lstrip("0")) > whole:
            raise UnfitError("it is out of range")
        return text

    return convert


def floating(_column: TargetColumn, *, single: bool, infinite: bool = True) -> Callable[[Wire], str]:
    """Return the converter of a binary floating point column: a number that is nearest to none else is kept."""
    highest = _HIGHEST_SINGLE if single else _HIGHEST

    def convert(found: Wire) -> str:
        special = _NOT_FINITE.get(found.text.strip().lower()) if found.form is Form.TEXT else None
        if special is not None:
            return special if infinite else _refuse("the type has no such value")
        number = _decimal(found)
        value = float(number)
        if abs(value) > highest:
            raise UnfitError("it is out of range")
        if not single and number and not value:
            raise UnfitError("it is out of range")
        if single and abs(value) > _LAST_SINGLE:  # fewer digits of it, which MySQL calls out of range
            return repr(math.copysign(_LAST_SINGLE, value))
        return found.text.strip()

    return convert


def _refuse(reason: str) -> str:
    raise UnfitError(reason)


def _decimal(found: Wire) -> Decimal:
    if found.form not in (Form.NUMBER, Form.TEXT):
        raise UnfitError("it is no number")
    try:
        number = Decimal(found.text.strip())
    except InvalidOperation:
        raise UnfitError("it is no number") from None
    if not number.is_finite() or "_" in found.text or not found.text.isascii():
        raise UnfitError("it is no number")
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise UnfitError("it has too many digits")
    return number


def _digits(number: Decimal, scale: int | None, *, rounds: bool) -> str:
    """Return a number without exponent, with at most `scale` digits behind the point.

    Raises:
        UnfitError: a digit other than 0 would be lost.
    """
    with localcontext() as context:
        context.prec = _MOST_DIGITS * 2 + 2
        if scale is not None and -int(number.as_tuple().exponent) > scale:
            shorter = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)
            if shorter != number and not rounds:
                raise UnfitError(f"it has more than {scale} digits behind the point")
            number = shorter
        return f"{number:f}"
