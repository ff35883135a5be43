"""Views that a statement of SQLite reads, and what of their definitions decides which rows there are."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence

from airflow_legacy_events.databases.sqlite.session import Guard

_VIEWS = "SELECT lower(name), sql FROM sqlite_master WHERE type = 'view' ORDER BY 1"
_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<word>\w[\w$]*) | (?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)


def definition(session: sqlite3.Connection, source: str, guard: Guard) -> str | None:
    """Return a fingerprint of the views that a FROM element reads, those below them included; None where it reads none.

    SQLite itself says which they are while it prepares a statement. Their select lists do not count.

    Args:
        session: of the database.
        source: a FROM element, as SQL.
        guard: of the session.
    """
    views = dict(session.execute(_VIEWS).fetchall())
    if not views:
        return None
    with guard.noting() as read:
        session.execute(f"EXPLAIN SELECT * FROM {source}").fetchall()  # noqa: S608
    texts = [f"{name} {from_on(text)}" for name, text in views.items() if name in read]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16] if texts else None


def from_on(text: str) -> str:
    """Return what a view selects from: its text from the first FROM outside of brackets on, and its WITH before that.

    Comments, blanks and the case of names outside of quotes do not count. A view without FROM is returned whole.

    Args:
        text: CREATE VIEW, as `sqlite_master` has it.
    """
    tokens = [
        found[0].lower() if found.lastgroup == "word" else found[0]
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "blank"
    ]
    body = tokens[_outside(tokens, ("as",)) + 1 :]
    with_ends = _outside(body, ("select", "values")) if body[:1] == ["with"] else 0
    begins = with_ends + _outside(body[with_ends:], ("from",))
    return " ".join(body if begins >= len(body) else body[:with_ends] + body[begins:])


def _outside(tokens: Sequence[str], words: Sequence[str]) -> int:
    """Return the place of the first of these words outside of brackets; the number of tokens where there is none."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token in words:
            return at
    return len(tokens)
