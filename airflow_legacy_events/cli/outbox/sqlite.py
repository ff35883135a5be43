"""Triggers of SQLite. A column holds values of any type, so each value is written by its storage class."""

from __future__ import annotations

import json
from collections.abc import Sequence

from airflow_legacy_events.cli.outbox.ddl import FILLED
from airflow_legacy_events.cli.outbox.model import Capture, Dialect, Installed, Name, Outbox, Place, Trigger
from airflow_legacy_events.cli.outbox.quoting import literal, other_name, quoted
from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.databases.table_names import QUOTES

_PLACE = "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name = :name COLLATE NOCASE"
_OUTBOX = """
SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
 WHERE t.schema = 'main' AND t.name = :name COLLATE NOCASE
"""
_TRIGGERS = """
SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name COLLATE NOCASE ORDER BY name
"""
_ALL_TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
_NOTES = (
    "REPLACE deletes a row that is in its way without an event, unless its session has PRAGMA recursive_triggers = ON.",
    "Each program that writes needs a SQLite with functions for JSON; all have them from 3.38 on.",
)
# Fifteen digits are the familiar form; if they don't give the same number, eighteen do.
_REAL = (
    "CASE WHEN {0} > 1.7976931348623157e308 THEN '\"Infinity\"' WHEN {0} < -1.7976931348623157e308 THEN '\"-Infinity\"'"
    " WHEN CAST(printf('%!.15g', {0}) AS REAL) = {0} THEN printf('%!.15g', {0}) ELSE printf('%!.18g', {0}) END"
)
_VALUE = (
    "CASE typeof({0}) WHEN 'null' THEN 'null' WHEN 'blob' THEN '\"' || hex({0}) || '\"' WHEN 'real' THEN " + _REAL + ""
    " WHEN 'text' THEN {1} ELSE CAST({0} AS TEXT) END"
)
_TEXT = (
    "CASE typeof({0}) WHEN 'blob' THEN hex({0}) WHEN 'real' THEN trim(" + _REAL + ", '\"') ELSE CAST({0} AS TEXT) END"
)
_GROUP = 40
_BODIES = {
    "created": ("INSERT", "", ("VALUES ({type}, {new_key}, 'created', {new})",)),
    "updated": ("UPDATE", " WHEN {old_key} = {new_key}", ("VALUES ({type}, {new_key}, 'updated', {new})",)),
    "rekeyed": (
        "UPDATE",
        " WHEN {old_key} <> {new_key}",
        ("VALUES ({type}, {old_key}, 'deleted', {old})", "VALUES ({type}, {new_key}, 'created', {new})"),
    ),
    "deleted": ("DELETE", "", ("VALUES ({type}, {old_key}, 'deleted', {old})",)),
}


class Sqlite(Dialect):
    """SQLite 3."""

    quotes = QUOTES["sqlite"]
    suffixes = tuple(f"_outbox_{kind}" for kind in _BODIES)

    def place(self, found: Reflection) -> Place:
        """See `Dialect.place`."""
        [(name, kind)] = self.rows(_PLACE, name=found.selectable.name)
        refusal = None if kind == "table" else f"it is a {kind}, and triggers see only what is written to tables"
        return Place(Name(None, name), refusal, _NOTES)

    def outbox(self, schema: str | None, name: str) -> Outbox:  # noqa: ARG002  a trigger names no schema
        """See `Dialect.outbox`."""
        found = self.rows(_OUTBOX, name=name)
        columns = frozenset(str(column) for _, column in found)
        return Outbox(Name(None, found[0][0] if found else name), columns or None)

    def triggers(self, capture: Capture) -> tuple[Trigger, ...]:
        """See `Dialect.triggers`."""
        values = {
            "type": literal(capture.aggregate_type),
            "old_key": _key("OLD", capture.key),
            "new_key": _key("NEW", capture.key),
            "old": _payload("OLD", capture.columns),
            "new": _payload("NEW", capture.columns),
        }
        found = []
        for suffix, (event, condition, rows) in zip(self.suffixes, _BODIES.values(), strict=True):
            name = other_name(capture.table.name, suffix)
            body = "".join(f" {_insert(capture)} {row.format(**values)};" for row in rows)
            create = (
                f"CREATE TRIGGER {quoted(name)} AFTER {event} ON {quoted(capture.table.name)}"
                f"{condition.format(**values)} BEGIN{body} END"
            )
            found.append(Trigger(name, create, create))
        return tuple(found)

    def installed(self, capture: Capture) -> tuple[Installed, ...]:
        """See `Dialect.installed`."""
        found = self.rows(_TRIGGERS, name=capture.table.name)
        return tuple(Installed(name, sql) for name, sql in found if _insert(capture) in sql)

    def strangers(self, capture: Capture) -> list[str]:
        """See `Dialect.strangers`; all triggers of a file share one namespace."""
        names = {one.name.lower() for one in self.triggers(capture)}
        return [
            f"a trigger {name!r} of table {of!r}"
            for name, of, sql in self.rows(_ALL_TRIGGERS)
            if name.lower() in names and (of.lower() != capture.table.name.lower() or FILLED not in sql)
        ]

    def script(self, capture: Capture, stale: Sequence[Installed]) -> str:
        """See `Dialect.script`."""
        triggers = self.triggers(capture)
        names = (*(one.name for one in stale), *(one.name for one in triggers))
        statements = [
            "BEGIN IMMEDIATE",
            *(f"DROP TRIGGER IF EXISTS {quoted(name)}" for name in names),
            *(one.create for one in triggers),
            "COMMIT",
        ]
        return ";\n".join(statements) + ";\n"


def _insert(capture: Capture) -> str:
    return f"INSERT INTO {quoted(capture.outbox.name)} {FILLED}"


def _payload(row: str, columns: Sequence[Column]) -> str:
    # Concatenated, because json_object is limited to 63 columns, refuses blobs, and rounds numbers to fifteen digits.
    members = [
        f"{literal((',' if at else '{') + json.dumps(one.name, ensure_ascii=False) + ':')} || {_value(row, one)}"
        for at, one in enumerate(columns)
    ]
    # Grouped in brackets, so that a wide table does not exceed the depth limit of an expression.
    groups = (members[at : at + _GROUP] for at in range(0, len(members), _GROUP))
    return " || ".join(f"({' || '.join(group)})" for group in groups) + " || '}'"


def _value(row: str, column: Column) -> str:
    field = f"{row}.{quoted(column.name)}"
    text = f"json_quote({field})"
    if column.kind is Kind.JSON:
        text = f"CASE WHEN json_valid({field}) THEN {field} ELSE {text} END"
    return _VALUE.format(field, text)


def _key(row: str, key: Sequence[Column]) -> str:
    """Return the text of a key; NULL, which SQLite allows in most primary keys, becomes an empty text."""
    texts = [f"ifnull({_TEXT.format(f'{row}.{quoted(one.name)}')}, '')" for one in key]
    if len(texts) == 1:
        return texts[0]
    return "'[' || " + " || ',' || ".join(f"json_quote({one})" for one in texts) + " || ']'"
