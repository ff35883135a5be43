"""JSON that a person or another process may have written: parsed whole, or refused with one kind of error."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100
"""Levels of lists and objects; a deeper text could not be written again from any place."""


def read_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Args:
        text: characters, or bytes of UTF-8.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds what can't be written again: NaN, a number beyond a
            float, or half a surrogate pair.
    """
    try:
        found = json.loads(text.decode() if isinstance(text, bytes) else text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check(found)
    return found


def _check(found: Any) -> None:
    level, depth = [found], 0
    while level:
        if depth >= DEEPEST and any(isinstance(one, (dict, list)) for one in level):
            raise ValueError("nested too deeply")
        for one in level:
            if isinstance(one, str):
                one.encode()  # half a surrogate pair is refused as a ValueError
            elif isinstance(one, float) and not math.isfinite(one):
                raise ValueError("a number without an end")
        level, depth = [part for one in level for part in _parts(one)], depth + 1


def _parts(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return [*found, *found.values()]
    return found if isinstance(found, list) else []


def _no_number(found: str) -> None:
    raise ValueError(found)
