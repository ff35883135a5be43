"""Catalog of MariaDB and MySQL: tables that triggers can serve, and installed triggers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.cli.outbox.ddl import FILLED
from airflow_legacy_events.cli.outbox.model import Installed, Name, Outbox, Place
from airflow_legacy_events.cli.outbox.quoting import quoted
from airflow_legacy_events.core.ports import Reflection

Rows = Callable[..., list[tuple[Any, ...]]]

_PLACE = """
SELECT table_schema, table_name, table_type, engine, VERSION() FROM information_schema.tables
 WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name
"""
_OUTBOX = """
SELECT table_schema, table_name, column_name FROM information_schema.columns
 WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name IN (:name, LOWER(:name))
"""
_CASCADES = """
SELECT constraint_name, referenced_table_name, delete_rule, update_rule
  FROM information_schema.referential_constraints
 WHERE constraint_schema = :schema AND table_name = :name
   AND (delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
 ORDER BY constraint_name
"""
# On MariaDB, a trigger without the right to see it is listed without its statement.
_TRIGGERS = """
SELECT trigger_name, action_timing, event_manipulation FROM information_schema.triggers
 WHERE event_object_schema = :schema AND event_object_table = :name
   AND action_statement IS NOT NULL
 ORDER BY trigger_name
"""
_ALL_TRIGGERS = """
SELECT trigger_name, event_object_table, action_statement FROM information_schema.triggers
 WHERE trigger_schema = :schema
"""
_BEFORE_BODY = " FOR EACH ROW "
_JSON_SINCE = {True: (10, 2, 3), False: (5, 7, 8)}
_NOTES = (
    "TRUNCATE fires no trigger here, so it is no event.",
    "With a binary log only SUPER may create triggers, unless the server has log_bin_trust_function_creators = 1.",
    "They write with the rights of the account that creates them. It needs INSERT on the outbox; do not drop it.",
)


def find_place(rows: Rows, found: Reflection) -> Place:
    """Return the place of a table, and whether triggers can serve it."""
    [(schema, name, kind, engine, version)] = rows(_PLACE, schema=found.selectable.schema, name=found.selectable.name)
    notes = list(_NOTES)
    if engine != "InnoDB":
        notes.append(f"The engine of the table is {engine}: when a write is rolled back, its event stays.")
    return Place(Name(schema, name), _refusal(rows, schema, name, kind, version), tuple(notes))


def _refusal(rows: Rows, schema: str, name: str, kind: str, version: str) -> str | None:
    if "VIEW" in kind:
        return "it is a view, and triggers see only what is written to its tables"
    since = _JSON_SINCE["mariadb" in version.lower()]
    if tuple(map(int, re.findall(r"\d+", version.removeprefix("5.5.5-"))[:3])) < since:
        return f"the server has version {version}, and functions for JSON come with {'.'.join(map(str, since))}"
    if cascades := rows(_CASCADES, schema=schema, name=name):
        listed = "; ".join(
            f"{one} to {to} (ON DELETE {dropped}, ON UPDATE {set_})" for one, to, dropped, set_ in cascades
        )
        return (
            f"its foreign keys change rows by themselves, which fires no trigger here: {listed}. Let them RESTRICT and"
            " let the application delete the rows, or read the table by a watermark"
        )
    return None


def find_outbox(rows: Rows, schema: str | None, name: str) -> Outbox:
    """Return the outbox of a name, else the place where it would be created."""
    if (found := Outbox.among(rows(_OUTBOX, schema=schema, name=name), name)) is not None:
        return found
    [(current,)] = rows("SELECT DATABASE()")
    return Outbox(Name(current if schema is None else schema, name), None)


def shown_body(timing: str, event: str, body: str) -> str:
    """Return a trigger's definition in a comparable form; the server may keep a delimiter."""
    return f"{timing} {event} {body.rstrip(' ;')}"


def find_triggers(rows: Rows, table: Name, insert: str) -> tuple[Installed, ...]:
    """Return the triggers of a table that hold the statement `insert`."""
    found = []
    for name, timing, event in rows(_TRIGGERS, schema=table.schema, name=table.name):
        # information_schema alters a statement that has quotes in a name or text, so SHOW CREATE TRIGGER is used.
        quoted_name = quoted(table.schema, name, sign="`").replace(":", r"\:")
        [(_, _, statement, *_)] = rows(f"SHOW CREATE TRIGGER {quoted_name}")
        if insert in (body := str(statement).partition(_BEFORE_BODY)[2]):
            found.append(Installed(name, shown_body(timing, event, body)))
    return tuple(found)


def find_strangers(rows: Rows, table: Name, names: Sequence[str]) -> list[str]:
    """Return the triggers of these names that have another origin, or belong to another table of the schema."""
    return [
        f"a trigger {name!r} of table {of!r}"
        for name, of, body in rows(_ALL_TRIGGERS, schema=table.schema)
        if name in names and (of != table.name or FILLED not in (body or FILLED))
    ]
