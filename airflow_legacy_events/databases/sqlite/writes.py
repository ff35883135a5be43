"""Effects of deleting or updating rows of a SQLite table, from its schema."""

from __future__ import annotations

import re
import sqlite3
from itertools import groupby

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases import effects
from airflow_legacy_events.databases.reflection import not_a_table
from airflow_legacy_events.databases.sqlite.catalog import find_table, rowid_column
from airflow_legacy_events.databases.sqlite.written import has_autoincrement, without_quotes

_TABLE = "table"
_FOREIGN_KEYS = """
SELECT m.name, k.id, k.on_delete, k."from" FROM sqlite_master m, pragma_foreign_key_list(m.name) k
 WHERE m.type = 'table' AND lower(k."table") = lower(?) ORDER BY m.name, k.id, k.seq
"""
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY name"
_PARTIAL = "SELECT name FROM pragma_index_list(?) WHERE partial ORDER BY seq DESC"
_COLUMNS_OF_INDEX = "SELECT name FROM pragma_index_info(?) ORDER BY seqno"
_SQL = "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?"

_EVENT = re.compile(r"\b(DELETE|INSERT|UPDATE)\b(?:\s+OF\b.*?)?\s+ON\b", re.IGNORECASE | re.DOTALL)
_CONDITION = re.compile(r"\)\s*WHERE\b\s*(.*)\Z", re.IGNORECASE | re.DOTALL)


def table_writes(session: sqlite3.Connection, table: str) -> TableWrites:
    """Return the effects of deleting or updating rows of a table; SQLite compares names case-insensitively.

    Its size is that of the whole file.

    Raises:
        ConfigurationError: there is no table of that name, or it is not a table.
    """
    name, kind = find_table(session, table)
    if kind != _TABLE:
        raise not_a_table(table, f"a {kind}")
    keys = _foreign_keys(session, name)
    (pages,) = session.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = session.execute("PRAGMA page_size").fetchone()
    return TableWrites(
        name,
        references=effects.references(keys),
        effects=effects.cascades(keys) + _triggers(session, name, "DELETE"),
        update_effects=_triggers(session, name, "UPDATE"),
        ids_return=_ids_return(session, name),
        partial=_partial(session, name),
        bytes=pages * page_bytes,
    )


def _foreign_keys(session: sqlite3.Connection, name: str) -> list[effects.ForeignKey]:
    rows = session.execute(_FOREIGN_KEYS, (name,)).fetchall()
    return [
        effects.ForeignKey(of, [column for *_, column in columns], None, on_delete)
        for (of, _, on_delete), columns in groupby(rows, key=lambda row: row[:3])
    ]


def _triggers(session: sqlite3.Connection, name: str, event: str) -> tuple[str, ...]:
    found = session.execute(_TRIGGERS, (name,)).fetchall()
    return tuple(f"trigger {trigger} on {event}, for each row" for trigger, text in found if _event(text) == event)


def _event(text: str) -> str:
    found = _EVENT.search(without_quotes(text))
    return found[1].upper() if found else ""


def _ids_return(session: sqlite3.Connection, name: str) -> str | None:
    if rowid_column(session, name) is None or has_autoincrement(session, name):
        return None
    return "its INTEGER PRIMARY KEY has no AUTOINCREMENT, so the id of a deleted last row is reused"


def _partial(session: sqlite3.Connection, name: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    found = []
    for (index,) in session.execute(_PARTIAL, (name,)).fetchall():
        columns = [column for (column,) in session.execute(_COLUMNS_OF_INDEX, (index,))]
        condition = _CONDITION.search(_sql(session, "index", index))
        if condition and None not in columns:
            found.append((tuple(columns), condition[1].strip()))
    return tuple(found)


def _sql(session: sqlite3.Connection, type_: str, name: str) -> str:
    found = session.execute(_SQL, (type_, name)).fetchone()
    return str(found[0]) if found and found[0] else ""
