"""JSON from a person or another process: parsed completely, or refused with one kind of error."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100
"""Maximum nesting of lists and objects; deeper texts could not be written again at every call depth."""

_ESCAPED = "\\u"
"""Only an escape can make a surrogate of a text that has none."""


def read_json(text: str | bytes) -> Any:
    """Parse a JSON text.

    Args:
        text: characters, or bytes of UTF-8.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or holds a value that can't be written again: NaN, a number
            outside the range of a float, or an unpaired surrogate.
    """
    given = text.decode() if isinstance(text, bytes) else text
    given.encode()  # an unpaired surrogate raises a ValueError
    try:
        found = json.loads(given, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check_depth(found)
    if _ESCAPED in given:
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level := [one for one in level if isinstance(one, (dict, list))]:
        if depth >= DEEPEST:
            raise ValueError("nested too deeply")
        level, depth = [part for one in level for part in (one.values() if isinstance(one, dict) else one)], depth + 1


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError("a number without an end")
    return found


def _no_number(found: str) -> None:
    raise ValueError(found)
