"""Finds what a statement leaves to the search_path: functions, operators, types and tables without a schema."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/|[eE]?'(?:[^']|'')*'|\$\d+|%\(?\w*\)?s|\d[\w.]*)
      | (?P<word>"(?:[^"]|"")+"|[^\W\d]\w*)
      | (?P<sign>::|[-+*/<>=~!@\#%^&|?]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|?]+")
_NAME = re.compile(r'"?\w.*', re.DOTALL)
_SYNTAX = frozenset(
    {
        *("and", "any", "all", "array", "as", "by", "case", "cast", "coalesce", "current_timestamp", "else", "except"),
        *("exists", "filter", "from", "greatest", "group", "having", "in", "join", "least", "lateral", "limit", "not"),
        *("offset", "on", "operator", "or", "order", "over", "returning", "row", "select", "set", "then", "union"),
        *("values", "when", "where", "with", "materialized"),
    }
)
_HIDDEN = frozenset({"in", "between", "like", "ilike", "similar", "nullif", "using", "natural"})
"""Words behind which an operator is looked up by its bare name."""

_SEVERAL_ARRAYS = ("from", "unnest", "cast")
"""Of several arrays, as we write them, it is a word of the grammar."""

_SYSTEM_TYPES = frozenset(
    {"integer", "int", "bigint", "smallint", "boolean", "varchar", "numeric", "interval", "float"}
)
_CONTROL = ("SET ", "BEGIN", "ROLLBACK", "COMMIT", "SAVEPOINT", "RELEASE", "LISTEN", "UNLISTEN")


def unqualified(statement: str, own: Collection[str] = ()) -> list[str]:
    """Return what has no schema.

    Args:
        statement: one or several.
        own: names of the user's tables.
    """
    parts: list[list[str]] = [[]]
    for token in _TOKEN.finditer(statement):
        if token[0] == ";":
            parts.append([])
        elif token.lastgroup != "skip":
            parts[-1].append(token[0])
    return [
        f"{found} in {' '.join(part)}"
        for part in parts
        if not " ".join(part).upper().startswith(_CONTROL)
        for found in _look(_without_assignments(part), own)
    ]


def _without_assignments(tokens: list[str]) -> list[str]:
    words = [token.lower() for token in tokens]
    if words[:1] != ["update"]:
        return tokens
    end = words.index("where") if "where" in words else len(words)
    return [token for at, token in enumerate(tokens) if token != "=" or at > end]


def _look(tokens: list[str], own: Collection[str]) -> Iterator[str]:
    known = {*own, *(name for name, behind in itertools.pairwise(tokens) if behind.lower() in ("as", "("))}
    around = zip(["", "", *tokens], ["", *tokens], tokens, [*tokens[1:], ""], [*tokens[2:], "", ""], strict=False)
    for last, before, token, behind, after in around:
        kind = _kind(last.lower(), before.lower(), token, behind, after.lower())
        if kind is not None and not (kind == "table" and token in known):
            yield f"{kind} {token}"


def _kind(last: str, before: str, token: str, behind: str, after: str) -> str | None:
    """What of the search_path a token is, None where it is nothing of it; around it two tokens on each side."""
    word = token.lower()
    if _OPERATOR.fullmatch(token):
        named = before == "." or (before == "(" and last == "operator")
        star = token == "*" and before in ("select", "(", ".", ",")
        return None if named or star else "operator"
    if word in _HIDDEN:
        return None if word == "in" and after == "select" else "word"
    if before == "::":
        return None if behind == "." or word in _SYSTEM_TYPES else "type"
    if _is_call(before, token, behind):
        return None if (before, word, after) == _SEVERAL_ARRAYS else "function"
    table = before in ("from", "join", "update") and _NAME.fullmatch(token) and word not in _SYNTAX and behind != "."
    return "table" if table else None


def _is_call(previous: str, token: str, behind: str) -> bool:
    """Whether a word is a function that is called; behind a name or a bracket it is an alias."""
    alias = previous in (".", ")", "as") or (_NAME.fullmatch(previous) is not None and previous not in _SYNTAX)
    return behind == "(" and _NAME.fullmatch(token) is not None and token.lower() not in _SYNTAX and not alias
