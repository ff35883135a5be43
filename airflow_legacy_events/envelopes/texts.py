"""Texts, and what is carried as the text that the database wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events.envelopes.codec import Block, Codec, MisfitError, only

_BETWEEN = "\x1f"
_PLAIN = bytes(set(range(0x20, 0x100)) - set(b'"\\'))
_MARKED = re.compile(b"[^\x1f]+")


def _texts(values: Sequence[Any]) -> Block | None:
    return values, _forms(values, values)


def _texts_and_nulls(values: Sequence[Any]) -> Block | None:
    return values, _forms(values, ["" if value is None else value for value in values])


def _forms(values: Sequence[Any], texts: Sequence[str]) -> Sequence[Any]:
    """`values`, with those escaped that need it.

    To look at all at once for what JSON escapes costs a tenth of what it costs to quote each.
    """
    marks = _BETWEEN.join(texts).encode().translate(None, _PLAIN)  # half of a surrogate pair is a ValueError
    between = len(texts) - 1
    if len(marks) == between == marks.count(_BETWEEN.encode()):
        return values
    if marks.count(_BETWEEN.encode()) != between:  # it stands in a text too
        return [None if value is None else quoted(value)[1:-1] for value in values]
    forms, before = list(values), 0
    for marked in _MARKED.finditer(marks):
        at = marked.start() - before
        before += len(marked[0])
        forms[at] = quoted(forms[at])[1:-1]
    return forms


def _text(value: Any) -> tuple[str, str]:
    if not isinstance(value, str):
        raise MisfitError
    value.encode()
    return value, quoted(value)[1:-1]


def checked(values: Sequence[Any]) -> Block | None:
    """Return the texts that the database vouches for as both forms; None unless all are texts."""
    return (values, values) if only(str, values) else None


TEXT = Codec(_texts, _text, wrapped=True, plain=False, never_empty=False, sparse=_texts_and_nulls)
CHECKED = Codec(checked, _text, wrapped=True)
"""Texts that need no escapes, such as dates."""
