"""The seam between a kind and the encoder: how a column's values become texts and JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

Texts: TypeAlias = Sequence[str]
Block: TypeAlias = tuple[Texts, Texts]


class MisfitError(Exception):
    """A value is not what its column's kind promises."""


class Codec(NamedTuple):
    """How the values of one kind are written.

    Every value has a text, which keys and ids hold, and a JSON form, which `data` holds.

    Attributes:
        block: texts and JSON forms of a column at once. Returns None, or raises KeyError, TypeError or ValueError,
            where it can't vouch for every value, as for NULL; `one` then judges each.
        one: text and JSON form of one value, never of NULL. Raises MisfitError, or ValueError.
        wrapped: the JSON form is a string; both functions then give what stands between its quotes.
        plain: the text can stand in a JSON string as it is.
        never_empty: the text has at least one character.
    """

    block: Callable[[Sequence[Any]], Block | None]
    one: Callable[[Any], tuple[str, str]]
    wrapped: bool = False
    plain: bool = True
    never_empty: bool = True


def twice(texts: Texts | None) -> Block | None:
    """Return `texts` as both forms."""
    return None if texts is None else (texts, texts)


def only(type_: type, values: Sequence[Any]) -> bool:
    """Whether all values are exactly of one type."""
    return set(map(type, values)) == {type_}
