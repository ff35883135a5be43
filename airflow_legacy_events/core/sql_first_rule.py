"""Query fingerprints of version 1, which watermarks of earlier releases hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<blank>    \s+ | --[^\n]* )
  | (?P<block>    /\* )
  | (?P<dollar>   \$ (?P<tag> (?:[^\W\d]\w*)? ) \$ .*? (?: \$ (?P=tag) \$ | \Z ) )
  | (?P<escaped>  [eE] '(?: [^'\\] | \\. | '' )* (?: ' | \Z ) )
  | (?P<quoted>   '(?: [^'] | '' )* (?: ' | \Z ) | "(?: [^"] | "" )* (?: " | \Z ) | `[^`]* (?: ` | \Z ) )
  | (?P<word>     \w[\w$]* )
  | (?P<sign>     . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def first_fingerprint(sql: str) -> str:
    """Return the version 1 fingerprint of a query; it treats `/*!` as the start of an ordinary comment."""
    tokens = list(_tokens(sql))
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return hashlib.sha256(" ".join(tokens).encode()).hexdigest()[:16]


def _tokens(sql: str) -> Iterator[str]:
    at = 0
    while (found := _TOKEN.match(sql, at)) is not None:
        end = _block_end(sql, at) if found.lastgroup == "block" else found.end()
        if found.lastgroup not in ("blank", "block"):
            yield sql[at:end]
        at = end


def _block_end(sql: str, start: int) -> int:
    """Return the end of a comment including nested ones; if they don't match, the first end."""
    depth = 0
    for edge in _BLOCK_EDGE.finditer(sql, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    first = sql.find("*/", start + 2)
    return len(sql) if first < 0 else first + 2
