"""View fingerprints in SQLite: the views that a statement reads, and the parts of them that determine the rows."""

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
    """Return a fingerprint of the views that a FROM element reads, including nested ones; None if it reads none.

    SQLite itself reports them while it prepares a statement. Their select lists do not count.

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
    """Return a view's source: its text from the first FROM outside parentheses on, and its WITH clause.

    Comments, blanks and the case of unquoted names do not count. A view without FROM is returned whole.

    Args:
        text: CREATE VIEW statement from `sqlite_master`.
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
    """Return the index of the first of these words outside parentheses; the number of tokens if there is none."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token in words:
            return at
    return len(tokens)
