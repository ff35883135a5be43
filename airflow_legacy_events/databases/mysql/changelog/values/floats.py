"""Digits of floating-point numbers as the servers write them."""

from __future__ import annotations

_PLAIN = (1e-4, 1e15)
_LEAST_POINT, _MOST_POINT = -14, 15
"""Places of the decimal point between which the servers write no exponent (`my_gcvt`)."""


def digits(number: float) -> str:
    """Return the shortest exact digits of a DOUBLE."""
    text = repr(number)
    if _PLAIN[0] <= abs(number) < _PLAIN[1]:
        return text.removesuffix(".0")
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    mantissa, _, exponent = text.partition("e")
    before, _, after = mantissa.partition(".")
    point = len(before) + int(exponent or 0)
    significant = (before + after).lstrip("0")
    point -= len(before) + len(after) - len(significant)
    return sign + _written(significant.rstrip("0"), point)


def _written(significant: str, point: int) -> str:
    """Return digits with their decimal point behind the first `point` of them."""
    count = len(significant)
    if not count:
        return "0"
    if point < _LEAST_POINT or (point > _MOST_POINT and count <= point):
        after = f".{significant[1:]}" if count > 1 else ""
        return f"{significant[0]}{after}e{point - 1}"
    if point <= 0:
        return f"0.{'0' * -point}{significant}"
    if count <= point:
        return significant + "0" * (point - count)
    return f"{significant[:point]}.{significant[point:]}"


def rounded(number: float, scale: int) -> str:
    """Return the digits of a `double(m, scale)`: shortest ones, filled up or rounded to its decimals."""
    sign, text = ("-", repr(-number)) if repr(number)[0] == "-" else ("", repr(number))
    mantissa, _, exponent = text.partition("e")
    before, _, after = mantissa.partition(".")
    decimals = 0 if after == "0" else len(after)
    if decimals - int(exponent or 0) > scale:
        return f"{number:.{scale}f}"
    figures = (before + after[:decimals]) + "0" * (scale - decimals + int(exponent or 0))
    figures = figures.rjust(scale + 1, "0")
    whole = (figures[:-scale] if scale else figures).lstrip("0") or "0"
    return f"{sign}{whole}.{figures[-scale:]}" if scale else sign + whole
