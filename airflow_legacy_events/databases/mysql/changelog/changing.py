"""Statements that change rows: the tables that they change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.words import Words, parts, step
from airflow_legacy_events.databases.mysql.tokens import Name, Token

CHANGING = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})
_MODIFIERS = ("LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "QUICK", "CONCURRENT", "LOCAL")
_BEFORE_TABLES = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN"})
_FROM = Token("word", "FROM")
_NO_ALIAS = frozenset(
    {
        *("JOIN", "STRAIGHT_JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "ON", "USING", "SET", "WHERE", "FOR"),
        *("USE", "FORCE", "IGNORE", "PARTITION", "LIMIT", "ORDER", "OUTER"),
    }
)


class Rows(NamedTuple):
    """Rows that a statement changes.

    Attributes:
        tables: whose rows they are.
        whole: whether it deletes all rows of the table.
    """

    tables: list[Name]
    whole: bool = False


def changed(words: Words) -> Rows | None:
    """Return the rows that a statement changes, from its verb on; None if it can't be understood."""
    verb = words.next().keyword
    words.skip(*_MODIFIERS)
    if verb in ("INSERT", "REPLACE"):
        words.take("INTO")
        name = words.name()
        return None if name is None else Rows([name])
    if verb == "DELETE":
        return _deleted(words)
    found = _updated(words)
    return None if found is None else Rows(found)


def loaded(words: Words) -> list[Name] | None:
    """Return the table that LOAD DATA or LOAD XML fills, from its verb on; None if it can't be understood."""
    words.next()
    if words.keyword not in ("DATA", "XML"):
        return []
    words.until("INTO")
    if not words.take("INTO", "TABLE"):
        return None
    name = words.name()
    return None if name is None else [name]


def _updated(words: Words) -> list[Name] | None:
    listed = words.until("SET")
    tables = _tables([_FROM, *listed])
    if len(tables) < 2:  # noqa: PLR2004  one table
        return list(tables.values()) or None
    words.take("SET")
    assigned = []
    for one in parts(words.until("WHERE", "ORDER", "LIMIT", "RETURNING")):
        qualified = one.name()
        if qualified is None or (qualified.schema is None and one.ahead() != Token("sign", ".")):
            return list(tables.values())  # any of them may have that column
        if one.sign("."):  # database.table.column
            assigned.append(qualified)
        else:
            assigned.append(_resolved(Name(None, qualified.schema or ""), tables))
    return assigned


def _deleted(words: Words) -> Rows | None:
    if words.take("HISTORY"):
        return Rows([])
    first = words.take("FROM")
    names = []
    while (name := words.name()) is not None:
        if words.sign("."):
            words.sign("*")
        names.append(name)
        if not words.sign(","):
            break
    if not names:
        return None
    if words.keyword == ("USING" if first else "FROM"):
        words.next()
        tables = _tables([_FROM, *words.until("WHERE", "ORDER", "LIMIT", "RETURNING")])
        return Rows([_resolved(one, tables) for one in names])
    return Rows(names, whole=words.ended)


def _tables(tokens: Sequence[Token]) -> dict[str, Name]:
    """Return the tables of a list by the names under which the statement refers to them, in lower case."""
    found: dict[str, Name] = {}
    words, depth, condition, may_follow = Words(tokens), 0, -1, False
    while not words.ended:
        if may_follow and words.ahead().is_name and (name := words.name()) is not None:
            words.take("AS")
            alias = words.next().text if words.ahead().is_name and words.keyword not in _NO_ALIAS else name.name
            found[alias.casefold()] = name
            may_follow = False
            continue
        token = words.next()
        depth += step(token)
        comma = token == Token("sign", ",")
        if condition < 0 and token.keyword in ("ON", "USING"):
            condition = depth
        elif condition >= depth and (comma or token.keyword in _BEFORE_TABLES or depth < condition):
            condition = -1
        may_follow = condition < 0 and (comma or token.keyword in _BEFORE_TABLES or token == Token("sign", "("))
    return found


def _resolved(name: Name, tables: dict[str, Name]) -> Name:
    return name if name.schema is not None else tables.get(name.name.casefold(), name)
