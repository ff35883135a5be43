"""Names as SQLite compares them."""

from __future__ import annotations


def folded(name: str) -> str:
    """Return a name without the case of its ASCII letters, the only ones whose case SQLite does not tell apart."""
    return "".join(one.lower() if one.isascii() else one for one in name)
