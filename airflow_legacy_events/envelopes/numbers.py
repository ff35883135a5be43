"""Integers, decimals and floats.

The texts of a whole column are validated as numbers with a few C calls on their join: int() of each costs three times
as much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.singles import shortest
from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError, all_of_type, same_forms

_EXPONENT = r"(?:[eE][+-]?[0-9]++)?"
_INTEGER = r"-?(?:0|[1-9][0-9]*+)"
_FLOAT = rf"{_INTEGER}(?:\.[0-9]++)?{_EXPONENT}"
_DECIMAL = rf"(?:-?[0-9]++(?:\.[0-9]++)?{_EXPONENT}|NaN|-?Infinity)"
_DIGITS = b"0123456789"
_MONEY = re.compile(r"-?\$[0-9]{1,3}(?:,[0-9]{3})*+\.[0-9]{2}")
_MONEY_MARKS = str.maketrans("", "", "$,")
_SAFE = 2**53
_LONGEST_SAFE = len(str(-_SAFE)) + 1
_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class _NumberForm:
    """Pattern of a number's text, for one value and for a column."""

    def __init__(self, pattern: str) -> None:
        self._one, self._column = re.compile(pattern), re.compile(f"(?:{pattern},)*+")

    def fits_all(self, joined: str, count: int) -> bool:
        """Whether `joined` is `count` numbers separated by commas."""
        return joined.count(",") == count - 1 and self._column.fullmatch(f"{joined},") is not None

    def fits(self, text: str) -> bool:
        """Whether `text` is one number."""
        return self._one.fullmatch(text) is not None

    def check(self, text: Any) -> tuple[str, str]:
        if not isinstance(text, str) or not self.fits(text):
            raise InvalidValueError
        return text, text


_INTEGERS, _FLOATS, _DECIMALS = _NumberForm(_INTEGER), _NumberForm(_FLOAT), _NumberForm(_DECIMAL)


def _integers(values: Sequence[Any]) -> Forms | None:
    if type(values[0]) is int:
        return same_forms(list(map(repr, values))) if all_of_type(int, values) else None
    joined = ",".join(values)
    # Only digits and separating commas, no empty text, no leading zero.
    only_digits = joined.encode().translate(None, _DIGITS) == b"," * (len(values) - 1)
    if only_digits and ",0" not in joined and ",," not in joined and joined[:1] not in "0," and joined[-1] != ",":
        return values, values
    return same_forms(values) if _INTEGERS.fits_all(joined, len(values)) else None


def _integer(value: Any) -> tuple[str, str]:
    return _INTEGERS.check(repr(value) if type(value) is int else value)


def _decimals(values: Sequence[Any]) -> Forms | None:
    joined = ",".join(values)
    # One decimal point in each text, with digits on both sides.
    one_point = joined.encode().translate(None, _DIGITS) == (b".," * len(values))[:-1]
    if one_point and ",." not in joined and ".," not in joined and joined[0] != "." and joined[-1] != ".":
        return values, values
    return same_forms(values) if _DECIMALS.fits_all(joined, len(values)) else None


def _decimal(value: Any) -> tuple[str, str]:
    return _DECIMALS.check(_text(value))


def _floats(values: Sequence[Any]) -> Forms | None:
    texts = list(map(repr, values)) if all_of_type(float, values) else values
    return same_forms(texts) if _FLOATS.fits_all(",".join(texts), len(texts)) else None


def _float(value: Any) -> tuple[str, str]:
    text = _text(value)
    return (text, f'"{text}"') if text in _SPECIAL.values() else _FLOATS.check(text)


def _singles(values: Sequence[Any]) -> Forms | None:
    found = _floats(values)
    return None if found is None else same_forms(list(map(shortest, found[0])))


def _single(value: Any) -> tuple[str, str]:
    text, form = _float(value)
    short = shortest(text)
    return short, short if form == text else form


def _text(value: Any) -> Any:
    if type(value) is float:
        return repr(value) if math.isfinite(value) else _SPECIAL[repr(value)]
    return repr(value) if type(value) is int else value


def _safe_integers(values: Sequence[Any]) -> Forms | None:
    found = _integers(values)
    if found is None or max(map(len, found[0])) < len(str(_SAFE)):
        return found
    return found[0], list(map(_safe, found[0]))


def _safe_integer(value: Any) -> tuple[str, str]:
    text, _ = _integer(value)
    return text, _safe(text)


def _safe(text: str) -> str:
    """Return the integer as a number if a double represents it exactly, else as a string."""
    shorter = len(text) < len(str(_SAFE))
    return text if shorter or (len(text) < _LONGEST_SAFE and -_SAFE <= int(text) <= _SAFE) else f'"{text}"'


def _numbers(values: Sequence[Any]) -> Forms | None:
    return same_forms(values) if _FLOATS.fits_all(",".join(values), len(values)) else None


def _number(value: Any) -> tuple[str, str]:
    text, _ = _decimal(value)
    return text, text if _FLOATS.fits(text) else f'"{text}"'


def money(decimal: Codec) -> Codec:
    """Return the codec of money: `-$1,234.56` is a decimal with a currency sign and separators."""
    return decimal._replace(
        block=lambda values: decimal.block(list(map(_amount, values))), one=lambda value: decimal.one(_amount(value))
    )


def _amount(value: Any) -> str:
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise InvalidValueError
    return value.translate(_MONEY_MARKS)


INTEGER = Codec(_integers, _integer)
SAFE_INTEGER = Codec(_safe_integers, _safe_integer)
DECIMAL = Codec(_decimals, _decimal, wrapped=True)
NUMBER = Codec(_numbers, _number)
FLOAT = Codec(_floats, _float)
SINGLE = Codec(_singles, _single)
