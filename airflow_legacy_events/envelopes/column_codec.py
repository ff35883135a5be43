"""Codec of a column: conversion of values of one kind to texts and JSON."""

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

    Every value has a text, for keys and ids, and a JSON form, for `data`.

    Attributes:
        block: texts and JSON forms of a whole column. Returns None, or raises KeyError, TypeError or ValueError, if it
            can't validate every value, as with NULL; `one` then checks each.
        one: text and JSON form of one value, never of NULL. Raises InvalidValueError, or ValueError.
        wrapped: the JSON form is a string; both functions then return the part between its quotes.
        plain: the text needs no escapes in a JSON string.
        never_empty: the text has at least one character.
    """

    block: Callable[[Sequence[Any]], Forms | None]
    one: Callable[[Any], tuple[str, str]]
    wrapped: bool = False
    plain: bool = True
    never_empty: bool = True


def same_forms(texts: Texts | None) -> Forms | None:
    """Return `texts` both as texts and as JSON forms; None stays None."""
    return None if texts is None else (texts, texts)


def all_of_type(type_: type, values: Sequence[Any]) -> bool:
    """Whether all values have exactly one Python type."""
    return set(map(type, values)) == {type_}
