"""JSON from a person or another process: parsed completely, or refused with one kind of error."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100
"""Maximum nesting of lists and objects; deeper texts could not be written again at every call depth."""


def read_json(text: str | bytes) -> Any:
    """Parse a JSON text.

    Args:
        text: characters, or bytes of UTF-8.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or holds a value that can't be written again: NaN, a number
            outside the range of a float, or an unpaired surrogate.
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
                one.encode()  # an unpaired surrogate raises a ValueError
            elif isinstance(one, float) and not math.isfinite(one):
                raise ValueError("a number without an end")
        level, depth = [part for one in level for part in _parts(one)], depth + 1


def _parts(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return [*found, *found.values()]
    return found if isinstance(found, list) else []


def _no_number(found: str) -> None:
    raise ValueError(found)
