"""Catalog facts about a SQLite table that decide how complete a run can be."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_COUNTED = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)
_CLOCK = re.compile(
    r"\bcurrent_(?:timestamp|date)\b|\b(?:datetime|date|strftime)\s*\([^;]*'now'[^;]*|\b(?:datetime|date)\s*\(\s*\)",
    re.IGNORECASE,
)
_LOCAL = "localtime"
_DEFAULTS = "SELECT name, dflt_value FROM pragma_table_xinfo(?) WHERE dflt_value IS NOT NULL"
_SQL = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
_TRIGGERS = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE"


class Writing(NamedTuple):
    """What `Database.writers` needs of the catalog.

    Attributes:
        counted: the column whose values are never given again; None without AUTOINCREMENT.
        defaults: by column.
        triggers: the statements that made them.
    """

    counted: str | None = None
    defaults: Mapping[str, str] = MappingProxyType({})
    triggers: tuple[str, ...] = ()

    def clock(self, column: str) -> str | None:
        """Return the expression by which a default or trigger gives a column the clock's time; None if none does."""
        if found := _CLOCK.search(self.defaults.get(column, "")):
            return found[0]
        assigned = re.compile(rf"""(?<![\w.])["`\[]?{re.escape(column)}["`\]]?\s*=\s*(?P<value>[^;]*)""", re.IGNORECASE)
        values = (found["value"] for text in self.triggers for found in assigned.finditer(text))
        return next((clock[0] for value in values if (clock := _CLOCK.match(value.lstrip(" (")))), None)


def is_local(clock: str) -> bool:
    """Return whether an expression gives times in the zone of the process that writes; else they are in UTC."""
    return _LOCAL in clock.lower()


def has_autoincrement(session: sqlite3.Connection, name: str) -> bool:
    """Return whether a table's IDs are never reused; its name is as in the catalog."""
    found = session.execute(_SQL, (name,)).fetchone()
    return bool(found and found[0] and _COUNTED.search(without_quotes(found[0])))


def without_quotes(text: str) -> str:
    """Return a statement with each string, quoted name and comment replaced by an empty name."""
    return _QUOTED.sub('""', text)


def read_writing(session: sqlite3.Connection, name: str, rowid: str | None) -> Writing:
    """Return the facts of a table.

    Args:
        session: of the database.
        name: of the table, as in the catalog.
        rowid: the column that is an alias of its rowid.
    """
    return Writing(
        rowid if has_autoincrement(session, name) else None,
        dict(session.execute(_DEFAULTS, (name,)).fetchall()),
        tuple(str(text) for (text,) in session.execute(_TRIGGERS, (name,)).fetchall()),
    )
