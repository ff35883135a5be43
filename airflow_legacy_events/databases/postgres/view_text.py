"""View fingerprints: the parts of a PostgreSQL view's text that determine its rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s+ | (?P<token> E'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \w[\w$]* | . )""",
    re.VERBOSE | re.DOTALL,
)
_DEEPER = {"(": 1, "[": 1, ")": -1, "]": -1}
# The server writes IS DISTINCT FROM in parentheses, so its FROM is nested.
_ENDS = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", ";"})


class Parts(NamedTuple):
    """A view's text in two parts.

    Attributes:
        rows: tokens that determine which rows there are: everything except its select lists.
        columns: tokens of each select-list expression, by column name.
    """

    rows: list[str]
    columns: dict[str, list[str]]


def fingerprint(views: Mapping[str, str]) -> str:
    """Return a fingerprint of the row selection of views.

    A column's expression counts if another view may select rows by that column.

    Args:
        views: texts by name, as written by the server under search_path `pg_catalog`.
    """
    found = {name: parts(text) for name, text in views.items()}
    texts = []
    for name, one in sorted(found.items()):
        named = {token for other, its in found.items() if other != name for token in its.rows}
        chosen = [" ".join(tokens) for column, tokens in sorted(one.columns.items()) if column in named]
        texts += [name, " ".join(one.rows), *chosen]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def renamed_columns(text: str) -> list[str]:
    """Return the columns of a view that are expressions, or have another name below; as they are quoted in its text."""
    return [name for name, tokens in parts(text).columns.items() if "AS" in tokens]


def parts(text: str) -> Parts:
    """Return the tokens of a view's text that determine its rows, and those of its columns.

    A select list without FROM defines the rows itself.
    """
    tokens = [found["token"] for found in _TOKEN.finditer(text) if found["token"]]
    rows: list[str] = []
    columns: dict[str, list[str]] = {}
    at, depth = 0, 0
    while at < len(tokens):
        depth += _DEEPER.get(tokens[at], 0)
        rows.append(tokens[at])
        at += 1
        if depth or tokens[at - 1] != "SELECT":
            continue
        begin = _behind_distinct(tokens, at)
        rows += tokens[at:begin]
        at = _list_end(tokens, begin)
        if at < len(tokens) and tokens[at] == "FROM":
            for item in _items(tokens[begin:at]):
                columns.setdefault(item[-1], []).extend(item)
        else:
            rows += tokens[begin:at]
    return Parts(rows, columns)


def _behind_distinct(tokens: Sequence[str], at: int) -> int:
    """Return the start of a select list, after DISTINCT or DISTINCT ON (…)."""
    if tokens[at : at + 1] != ["DISTINCT"]:
        return at
    if tokens[at + 1 : at + 2] != ["ON"]:
        return at + 1
    depth = 0
    for end in range(at + 2, len(tokens)):
        depth += _DEEPER.get(tokens[end], 0)
        if depth == 0:
            return end + 1
    return len(tokens)


def _list_end(tokens: Sequence[str], begin: int) -> int:
    depth = 0
    for at in range(begin, len(tokens)):
        depth += _DEEPER.get(tokens[at], 0)
        if depth == 0 and tokens[at] in _ENDS:
            return at
    return len(tokens)


def _items(tokens: Sequence[str]) -> Iterator[list[str]]:
    depth, item = 0, list[str]()
    for word in tokens:
        depth += _DEEPER.get(word, 0)
        if depth == 0 and word == ",":
            yield item
            item = []
        else:
            item.append(word)
    if item:
        yield item
