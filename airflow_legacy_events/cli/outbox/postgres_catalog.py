"""Catalog of PostgreSQL: tables that triggers can serve, and installed triggers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_legacy_events.cli.outbox.ddl import FILLED
from airflow_legacy_events.cli.outbox.model import Capture, Installed, Name, Outbox, Place
from airflow_legacy_events.cli.outbox.quoting import quoted
from airflow_legacy_events.core.ports import Reflection

Rows = Callable[..., list[tuple[Any, ...]]]

_PLACE = """
SELECT n.nspname, c.relname, c.relkind::text, c.relispartition::text,
       (SELECT string_agg(i.inhrelid::regclass::text, ', ') FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass(:name)
"""
_OUTBOX = """
SELECT n.nspname, c.relname, a.attname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p', 'v', 'f') AND c.relname IN (:name, lower(:name))
   AND CASE WHEN CAST(:schema AS text) IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = :schema END
"""
_VIRTUAL = """
SELECT attname FROM pg_catalog.pg_attribute
 WHERE attrelid = to_regclass(:name) AND attnum > 0 AND attgenerated::text = 'v'
"""
_TRIGGERS = """
SELECT t.tgname, t.tgenabled::text,
       concat(t.tgtype, CASE WHEN t.tgqual IS NOT NULL OR t.tgattr <> '' THEN ' limited' END),
       COALESCE(has_table_privilege(p.proowner, to_regclass(:outbox), 'INSERT'), true)::text,
       p.prosecdef::text, array_to_string(p.proconfig, chr(10)), p.prosrc, n.nspname, p.proname
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE t.tgrelid = to_regclass(:name) AND NOT t.tgisinternal
 ORDER BY t.tgname
"""
_ALL_TRIGGERS = """
SELECT t.tgname, p.prosrc FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgrelid = to_regclass(:name) AND NOT t.tgisinternal
"""
# Triggers of partitions are created by the server, which marks them internal before release 13.
_FUNCTION = """
SELECT p.prosrc, (SELECT min(t.tgrelid::regclass::text) FROM pg_catalog.pg_trigger t
                   WHERE t.tgfoid = p.oid AND t.tgrelid <> to_regclass(:table) AND NOT t.tgisinternal
                     AND COALESCE(to_jsonb(t) ->> 'tgparentid', '0') = '0')
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = :schema AND p.proname = :name AND p.pronargs = 0
"""
_TABLE, _PARTITIONED = "r", "p"


def find_place(rows: Rows, found: Reflection) -> Place:
    """Return the place of a table, and whether triggers can serve it."""
    [(schema, name, kind, partition, children)] = rows(
        _PLACE, name=quoted(found.selectable.schema, found.selectable.name)
    )
    refusal, notes = None, []
    if kind not in (_TABLE, _PARTITIONED):
        refusal = "it is a view or a foreign table, not a table: triggers see only what is written through it"
    elif partition == "true":
        refusal = "it is a partition of another table; name that table instead"
    elif kind == _PARTITIONED:
        notes.append(
            "An UPDATE that moves a row to another partition is deleted and created, with one key. TRUNCATE of a single"
            " partition fires no trigger."
        )
    elif children:
        notes.append(f"Rows of the tables that inherit from it fire no trigger of it: {children}.")
    return Place(Name(schema, name), refusal, tuple(notes))


def find_outbox(rows: Rows, schema: str | None, name: str) -> Outbox:
    """Return the outbox of a name, else the place where it would be created."""
    if (found := Outbox.among(rows(_OUTBOX, schema=schema, name=name), name)) is not None:
        return found
    [(current,)] = rows("SELECT COALESCE(current_schema(), 'public')")
    return Outbox(Name(current if schema is None else schema, name), None)


def unreadable_columns(rows: Rows, table: str) -> frozenset[str]:
    """Return the columns that a trigger sees as NULL."""
    return frozenset(str(name) for (name,) in rows(_VIRTUAL, name=table))


def installed_body(code: int, settings: Mapping[str, str], body: str) -> str:
    """Return a trigger's definition in a comparable form.

    Args:
        code: when it fires, as `pg_trigger.tgtype` has it.
        settings: of its function, which runs with the rights of its owner.
        body: of its function.
    """
    shown = [f"{name}={value}" for name, value in settings.items()]
    return _body(str(code), "true", shown, body)


def _body(code: str, definer: str, settings: list[str], body: str) -> str:
    return "\n".join([code, definer, *sorted(settings), " ".join(body.split())])


def find_triggers(rows: Rows, capture: Capture, insert: str) -> tuple[Installed, ...]:
    """Return the triggers of the table whose function holds the statement `insert`."""
    found = rows(_TRIGGERS, name=quoted(*capture.table), outbox=quoted(*capture.outbox))
    return tuple(
        Installed(
            name,
            _body(code, definer, (settings or "").split("\n"), body),
            _fault(enabled, may_write=may == "true", always=capture.always),
            quoted(*function),
        )
        for name, enabled, code, may, definer, settings, body, *function in found
        if insert in body
    )


def find_strangers(rows: Rows, capture: Capture, names: Sequence[str], function: Name) -> list[str]:
    """Return the triggers of these names, and the function, that have another origin or another table needs."""
    table = quoted(*capture.table)
    found = [
        f"a trigger {name!r}" for name, body in rows(_ALL_TRIGGERS, name=table) if name in names and FILLED not in body
    ]
    for body, user in rows(_FUNCTION, table=table, schema=function.schema, name=function.name):
        if FILLED not in body:
            found.append(f"a function {function.name!r}")
        elif user is not None:
            found.append(f"a function {function.name!r} of the triggers of table {user}")
    return found


def _fault(enabled: str, *, may_write: bool, always: bool) -> str | None:
    if not may_write:
        return "makes every write fail, since the owner of its function may not INSERT into the outbox"
    if enabled == "D":
        return "is disabled"
    if enabled == "R":
        return "fires for replicated rows only"
    if (enabled == "A") is not always:
        return f"{'does not fire' if always else 'fires'} for replicated rows, which --always would ask for"
    return None
