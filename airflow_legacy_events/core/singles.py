"""Single-precision floats (four bytes), which a database sends as the double of the same value."""

from __future__ import annotations

import decimal
import math
import struct

_SINGLE = struct.Struct("<f")
_LEAST_NORMAL, _MOST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
_POWER_OF_TWO = 0.5
"""Mantissa that `math.frexp` returns for a power of two."""

_ALWAYS_SHORTEST = 6
"""Two different texts of this many digits are never the same normal number; nine digits distinguish all numbers."""

_MOST_DIGITS = 9
_SHORT = _ALWAYS_SHORTEST + len(".")


def single(number: float) -> float:
    """Return the four-byte float nearest to `number`; a number outside their range is returned unchanged."""
    try:
        return float(_SINGLE.unpack(_SINGLE.pack(number))[0])
    except OverflowError:
        return number


def shortest(text: str) -> str:
    """Return the shortest digits that parse to the same four-byte float, as PostgreSQL writes `real`.

    Args:
        text: the digits of the double of the same value. A text of few digits, and a number that is not a four-byte
            float, is returned unchanged.

    Raises:
        ValueError: it is not a number.
    """
    if len(text) <= _SHORT:
        return text
    number = float(text)
    if not abs(number) <= _MOST or single(number) != number:
        return text
    for digits in range(_ALWAYS_SHORTEST if abs(number) >= _LEAST_NORMAL else 1, _MOST_DIGITS):
        if (found := _with(digits, number)) is not None:
            return _written(found)
    return _written(float(f"{number:.{_MOST_DIGITS}g}"))


def _with(digits: int, number: float) -> float | None:
    """Return a number of `digits` digits that is `number` in four bytes; None if there is none.

    Four-byte floats are closer together below a power of two than above it. A number above may therefore fit where the
    nearest one does not.
    """
    nearest = float(f"{number:.{digits}g}")
    if _is(nearest, number):
        return nearest
    if abs(math.frexp(number)[0]) != _POWER_OF_TWO:
        return None
    farther = float(decimal.Context(digits, decimal.ROUND_UP).create_decimal_from_float(number))
    return farther if _is(farther, number) else None


def _is(found: float, number: float) -> bool:
    """Whether `found` is `number` in four bytes, and not halfway between two four-byte floats."""
    return single(found) == number == single(math.nextafter(found, math.copysign(math.inf, found - number)))


def _written(number: float) -> str:
    return repr(number).removesuffix(".0").replace("e+", "e").replace("e-0", "e-")
