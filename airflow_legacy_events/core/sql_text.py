"""SQL text in any dialect: whether it is one SELECT, and a normal form by which two texts are compared.

A text is cut into tokens only as far as quotes, comments and semicolons go. Where dialects differ (a backslash in a
text, square brackets) every reading is tried, and a text is refused only if it is wrong in all of them: the database
itself has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError

SELECTS = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_TOKENS = r"""
    (?P<blank>    \s+ | --[^\n]* )
  | (?P<block>    /\* )
  | (?P<dollar>   \$ (?P<tag> (?:[^\W\d]\w*)? ) \$ .*? (?: \$ (?P=tag) \$ | \Z ) )
  | (?P<escaped>  [eE] '(?: [^'\\] | \\. | '' )* (?: ' | \Z ) )
  | (?P<quoted>   '(?: {text}[^'] | '' )* (?: ' | \Z ) | "(?: {text}[^"] | "" )* (?: " | \Z ) | `[^`]* (?: ` | \Z )
                  {name} )
  | (?P<word>     \w[\w$]* )
  | (?P<sign>     . )
"""
_READINGS = tuple(
    re.compile(_TOKENS.format(text=text, name=name), re.VERBOSE | re.DOTALL)
    for text in ("", r"\\. | ")
    for name in ("", r"| \[[^\]]* (?: \] | \Z )")
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def one_select(sql: str) -> str:
    """Return the SELECT in `sql`, without comments, blanks and semicolons before and behind it.

    Raises:
        ConfigurationError: it is empty, is several statements, begins with another word than SELECT, WITH, VALUES or
            TABLE, or its brackets do not match.
    """
    found = [_statement(sql, reading) for reading in _READINGS]
    good = next((statement for statement, wrong in found if not wrong), None)
    if good is not None:
        return good
    raise ConfigurationError(f"sql= {found[0][1]}; nothing was read or executed. Give one SELECT")


def normalized(sql: str) -> str:
    """Return `sql` without comments, needless blanks and final semicolons; equal results mean the same query."""
    tokens = [token.text for token in _tokens(sql, _READINGS[0]) if token.kind != "blank"]
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return " ".join(tokens)


def _statement(sql: str, reading: re.Pattern[str]) -> tuple[str, str]:
    """The only statement of a text, and what is wrong with it."""
    statements: list[list[_Token]] = [[]]
    for token in _tokens(sql, reading):
        if token.kind == "sign" and token.text == ";":
            statements.append([])
        elif token.kind != "blank":
            statements[-1].append(token)
    statements = [tokens for tokens in statements if tokens]
    if not statements:
        return "", "holds no statement"
    if len(statements) > 1:
        return "", f"holds {len(statements)} statements"
    tokens = statements[0]
    return sql[tokens[0].start : tokens[-1].end], _fault(tokens)


def _fault(tokens: list[_Token]) -> str:
    first = next((token for token in tokens if token.text != "("), tokens[0])
    if first.text.upper() not in SELECTS:
        return f"begins with {first.text.upper()[:20] if first.kind == 'word' else 'a sign'}, which is no SELECT"
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            return "closes a bracket that it did not open"
    return "leaves a bracket open" if depth else ""


def _tokens(sql: str, reading: re.Pattern[str]) -> Iterator[_Token]:
    at = 0
    while at < len(sql):
        found = reading.match(sql, at)
        if found is None:  # no text is unreadable, a "." takes what nothing else does
            return
        kind, end = str(found.lastgroup), found.end()
        if kind == "block":
            kind, end = "blank", _block_end(sql, at)
        yield _Token(kind, sql[at:end], at, end)
        at = end


def _block_end(sql: str, start: int) -> int:
    """Where a comment ends, comments inside it included; where they do not match, at the first end."""
    depth = 0
    for edge in _BLOCK_EDGE.finditer(sql, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    first = sql.find("*/", start + 2)
    return len(sql) if first < 0 else first + 2
