"""Floating-point numbers of four bytes, of which a database sends the double that each equals."""

from __future__ import annotations

import decimal
import math
import struct

_SINGLE = struct.Struct("<f")
_LEAST_NORMAL, _MOST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
_POWER_OF_TWO = 0.5
"""What `math.frexp` gives of it."""

_ALWAYS_SHORTEST = 6
"""Two texts of so many digits are never the same normal number; nine digits tell all apart."""

_MOST_DIGITS = 9
_SHORT = _ALWAYS_SHORTEST + len(".")


def single(number: float) -> float:
    """Return the number of four bytes that is nearest to `number`; one beyond all of them is itself."""
    try:
        return float(_SINGLE.unpack(_SINGLE.pack(number))[0])
    except OverflowError:
        return number


def shortest(text: str) -> str:
    """Return the fewest digits that give the same number of four bytes, as PostgreSQL writes its `real`.

    Args:
        text: the digits of the double that the number equals. A text of few digits, and any other number than one of
            four bytes, stays as it is.

    Raises:
        ValueError: it is no number.
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
    """Return a number of so many digits that is `number` in four bytes; None where there is none.

    Below a power of two the numbers of four bytes are closer together than above it, so that one above may do where the
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
    """Whether what was found is `number` in four bytes, and does not lie in the middle between two of them."""
    return single(found) == number == single(math.nextafter(found, math.copysign(math.inf, found - number)))


def _written(number: float) -> str:
    return repr(number).removesuffix(".0").replace("e+", "e").replace("e-0", "e-")
