"""Tokenizer for MySQL and MariaDB statements: finds their tables and functions, and drops their select lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

_PATTERN = r"""
    (?P<blank>   \s+ | --(?=\s|\Z)[^\n]* | \#[^\n]* | /\*M?![0-9]* | \*/ | /\*(?!M?!).*?(?:\*/|\Z) )
  | (?P<text>    '(?: ESCAPED [^'SLASH]++ | '' )*+(?:'|\Z) )
  | (?P<name>    `(?: [^`]++ | `` )*+(?:`|\Z) | "(?: ESCAPED [^"SLASH]++ | "" )*+(?:"|\Z) )
  | (?P<word>    [@\w$][\w$]* )
  | (?P<sign>    . )
"""


def _reading(escaped: str, slash: str) -> re.Pattern[str]:
    return re.compile(_PATTERN.replace("ESCAPED", escaped).replace("SLASH", slash), re.VERBOSE | re.DOTALL)


_READINGS = {True: _reading(r"\\. |", r"\\"), False: _reading("", "")}
_OPENS_TABLES = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN", "TABLE"})
_CLOSES_TABLES = frozenset(
    {
        *("SELECT", "WHERE", "ON", "USING", "GROUP", "ORDER", "HAVING", "LIMIT", "WINDOW", "UNION", "EXCEPT"),
        *("INTERSECT", "VALUES", "WITH", "SET", "RETURNING"),
    }
)
_ENDS_SELECT_LIST = frozenset({"FROM", "UNION", "EXCEPT", "INTERSECT", "LIMIT", "ORDER"})


_NO_FUNCTIONS = frozenset(
    {
        *("AND", "OR", "XOR", "NOT", "IN", "EXISTS", "AS", "OVER", "WHEN", "THEN", "ELSE", "CASE", "BY", "ALL", "ANY"),
        *("SOME", "DISTINCT", "KEY", "INDEX", "PARTITION", "LATERAL", "BETWEEN", "LIKE", "IS", "COUNT", "SUM", "MAX"),
        *("MIN", "AVG", "IF", "IFNULL", "COALESCE", "CONCAT", "CAST", "CONVERT", "DATE", "NOW", "CHAR", "DECIMAL"),
    }
)
_BEFORE_SELECT = frozenset({"", "(", "UNION", "EXCEPT", "INTERSECT", "ALL", "DISTINCT"})


class Name(NamedTuple):
    """A name as written in a statement; `schema` is None if the name is unqualified."""

    schema: str | None
    name: str


class Token(NamedTuple):
    """A token: `kind` is `text`, `name` (quoted), `word` or `sign`. A name is stored without its quotes."""

    kind: str
    text: str

    @property
    def keyword(self) -> str:
        """The word in upper case; empty for other tokens."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether it may be a name."""
        return self.kind in ("word", "name")


_OPEN, _CLOSE = Token("sign", "("), Token("sign", ")")


def tokens(sql: str, *, escapes: bool = True) -> list[Token]:
    """Return the tokens of a statement, including the contents of `/*! */` and `/*M! */`.

    Text in double quotes may be a name or a string, depending on the session's mode. It is treated as a name.

    Args:
        sql: the statement.
        escapes: whether a backslash in a string escapes the next character.
    """
    return list(each_token(sql, escapes=escapes))


def each_token(sql: str, *, escapes: bool = True) -> Iterator[Token]:
    """Yield the same; a long statement is read no further than is needed."""
    found = ((one.lastgroup or "", one[0]) for one in _READINGS[escapes].finditer(sql))
    return (Token(kind, _bare(text) if kind == "name" else text) for kind, text in found if kind != "blank")


def _bare(quoted: str) -> str:
    quote = quoted[0]
    return quoted[1:].removesuffix(quote).replace(quote * 2, quote)


def called(found: Iterable[Token]) -> Iterator[Name]:
    """Yield the called functions: each name before an opening parenthesis, except SQL keywords."""
    names = (name for name, follows, _ in _names(list(found)) if follows == "(")
    return (name for name in names if name.schema is not None or name.name.upper() not in _NO_FUNCTIONS)


def calls_stored(found: list[Token]) -> bool:
    """Return whether a definition calls a stored function: servers quote only the names of those."""
    return any(one.kind == "name" and follows == _OPEN for one, follows in pairwise(found))


def tables(found: Iterable[Token]) -> Iterator[Name]:
    """Yield each name in a table position: at least all tables and views, and perhaps more."""
    return (name for name, follows, in_tables in _names(list(found)) if in_tables and follows != "(")


def _names(found: list[Token]) -> Iterator[tuple[Name, str, bool]]:
    """Yield each name with the token after it, and whether it is in a table position."""
    # For each open parenthesis: whether it is at a table position. None in arguments, where FROM may occur without
    # SELECT.
    clauses: list[bool | None] = [False]
    before, at = Token("sign", ""), 0
    while at < len(found):
        token = found[at]
        if token == _OPEN:
            follows_tables = before.keyword in _OPENS_TABLES or not before.is_name
            clauses.append(clauses[-1] if follows_tables else None)
        elif token == _CLOSE and len(clauses) > 1:
            clauses.pop()
        elif token.keyword in _CLOSES_TABLES:
            clauses[-1] = False
        elif token.keyword in _OPENS_TABLES:
            clauses[-1] = None if clauses[-1] is None else True
        elif token.is_name:
            qualified = _text(found, at + 1) == "." and at + 2 < len(found)
            name = Name(token.text, found[at + 2].text) if qualified else Name(None, token.text)
            at += 2 if qualified else 0
            in_tables = bool(clauses[-1]) and (before.keyword in _OPENS_TABLES or before.text in (",", "("))
            yield name, _text(found, at + 1), in_tables
        before, at = found[at], at + 1


def _text(found: list[Token], at: int) -> str:
    return found[at].text if at < len(found) and found[at].kind == "sign" else ""


def without_select_lists(found: Iterable[Token]) -> str:
    """Return a normalized definition from FROM on, without the select lists of its outermost SELECTs."""
    brackets: list[bool] = []  # whether each one's contents are still outermost, as in (SELECT 1) UNION (SELECT 2)
    before, selecting, kept = "", False, []
    for token in found:
        if token == _OPEN:
            brackets.append(before in _BEFORE_SELECT and all(brackets))
        outermost = all(brackets)
        if outermost and token.keyword == "SELECT":
            selecting = True
        elif outermost and (token.keyword in _ENDS_SELECT_LIST or token == _CLOSE):
            selecting = False
        if token == _CLOSE and brackets:
            brackets.pop()
        if not selecting:
            kept.append(token.keyword or f"{token.kind} {token.text}")
        before = token.keyword or token.text
    return "\n".join(kept)
