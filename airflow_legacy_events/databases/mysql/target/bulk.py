"""Literals of a whole column at once, for values that need neither an escape nor a look at each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

Bulk: TypeAlias = Callable[[Sequence[str]], list[bytes] | None]
"""Returns the literals of all values; None if one of them needs a look of its own."""

_APART = "\x01"
_ESCAPED = re.compile(r"""['"\\\x00\n\r\x1a]""")


def numbers(pattern: str) -> Bulk:
    """Return the function for numbers that stand in SQL as they are, if they match a pattern."""
    each = re.compile(rf"(?:(?:{pattern}){_APART})*(?:{pattern})", re.ASCII)

    def bulk(values: Sequence[str]) -> list[bytes] | None:
        joined = _APART.join(values)
        return _parts(joined, values) if each.fullmatch(joined) else None

    return bulk


def strings(*, longest: int | None = None, unless: str = "") -> Bulk:
    """Return the function for strings.

    Args:
        longest: characters of a value; None: as many as there are.
        unless: pattern of what needs a look, among values with `APART` between them.
    """
    looked_at = re.compile(unless, re.ASCII) if unless else None

    def bulk(values: Sequence[str]) -> list[bytes] | None:
        if longest is not None and max(map(len, values), default=0) > longest:
            return None
        joined = _APART.join(values)
        if _ESCAPED.search(joined) or (looked_at is not None and looked_at.search(joined)):
            return None
        return _parts(f"'{joined.replace(_APART, _QUOTED_APART)}'", values)

    return bulk


APART = _APART
"""Stands between two values where a pattern looks at them."""

_QUOTED_APART = f"'{_APART}'"


def _parts(joined: str, values: Sequence[str]) -> list[bytes] | None:
    found = joined.encode().split(_APART.encode())
    return found if len(found) == len(values) else None
