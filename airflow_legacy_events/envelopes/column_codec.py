"""Codec of a column: how the values of one kind become texts and JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

Texts: TypeAlias = Sequence[str]
Forms: TypeAlias = tuple[Texts, Texts]
"""Texts and JSON forms of a column."""


class InvalidValueError(Exception):
    """A value that its column's kind does not allow."""


class Codec(NamedTuple):
    """Codec of one kind of values.

    Every value has a text, which keys and ids hold, and a JSON form, which `data` holds.

    Attributes:
        block: texts and JSON forms of a column at once. Returns None, or raises KeyError, TypeError or ValueError,
            where it can't prove every value, as for NULL; `one` then checks each.
        one: text and JSON form of one value, never of NULL. Raises InvalidValueError, or ValueError.
        wrapped: the JSON form is a string; both functions then give what stands between its quotes.
        plain: the text can stand in a JSON string as it is.
        never_empty: the text has at least one character.
    """

    block: Callable[[Sequence[Any]], Forms | None]
    one: Callable[[Any], tuple[str, str]]
    wrapped: bool = False
    plain: bool = True
    never_empty: bool = True


def same_forms(texts: Texts | None) -> Forms | None:
    """Return `texts` as texts and JSON forms alike; None stays None."""
    return None if texts is None else (texts, texts)


def all_of_type(type_: type, values: Sequence[Any]) -> bool:
    """Whether all values are exactly of one Python type."""
    return set(map(type, values)) == {type_}
