"""SQLite name comparison."""

from __future__ import annotations


def folded(name: str) -> str:
    """Return a name with its ASCII letters folded: SQLite ignores the case of no other letters."""
    return "".join(one.lower() if one.isascii() else one for one in name)
