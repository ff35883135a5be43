"""Catalog of PostgreSQL: tables that triggers may serve, and the triggers that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.cli.outbox.model import Installed, Name, Place
from airflow_legacy_events.cli.outbox.quoting import quoted
from airflow_legacy_events.core.ports import Reflection

Rows = Callable[..., list[tuple[Any, ...]]]

_PLACE = """
SELECT n.nspname, c.relname, c.relkind::text, c.relispartition::text,
       (SELECT string_agg(i.inhrelid::regclass::text, ', ') FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass(:name)
"""
_VIRTUAL = """
SELECT attname FROM pg_catalog.pg_attribute
 WHERE attrelid = to_regclass(:name) AND attnum > 0 AND attgenerated::text = 'v'
"""
_TRIGGERS = """
SELECT t.tgname, t.tgenabled::text,
       concat(t.tgtype, CASE WHEN t.tgqual IS NOT NULL OR t.tgattr <> '' THEN ' limited' END),
       p.prosecdef::text, array_to_string(p.proconfig, chr(10)), p.prosrc, n.nspname, p.proname
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE t.tgrelid = to_regclass(:name) AND NOT t.tgisinternal
 ORDER BY t.tgname
"""
_TABLE, _PARTITIONED = "r", "p"


def find_place(rows: Rows, found: Reflection) -> Place:
    """Return where a table is, and whether triggers can serve it."""
    [(schema, name, kind, partition, children)] = rows(
        _PLACE, name=quoted(found.selectable.schema, found.selectable.name)
    )
    refusal, notes = None, []
    if kind not in (_TABLE, _PARTITIONED):
        refusal = "it is no table but a view or a foreign table: triggers see only what is written through it"
    elif partition == "true":
        refusal = "it is a partition of another table, which has to be named instead"
    elif kind == _PARTITIONED:
        notes.append(
            "An UPDATE that moves a row to another partition is deleted and created, with one key. TRUNCATE of a single"
            " partition fires no trigger."
        )
    elif children:
        notes.append(f"Rows of the tables that inherit from it fire no trigger of it: {children}.")
    return Place(Name(schema, name), refusal, tuple(notes))


def unreadable_columns(rows: Rows, table: str) -> frozenset[str]:
    """Return the columns of which a trigger sees NULL."""
    return frozenset(str(name) for (name,) in rows(_VIRTUAL, name=table))


def installed_body(code: int, settings: Mapping[str, str], body: str) -> str:
    """Return what a trigger does, so that two that do the same are equal.

    Args:
        code: when it fires, as `pg_trigger.tgtype` has it.
        settings: of its function, which runs with the rights of its owner.
        body: of its function.
    """
    shown = [f"{name}={value}" for name, value in settings.items()]
    return _body(str(code), "true", shown, body)


def _body(code: str, definer: str, settings: list[str], body: str) -> str:
    return "\n".join([code, definer, *sorted(settings), " ".join(body.split())])


def find_triggers(rows: Rows, table: str, insert: str, *, always: bool) -> tuple[Installed, ...]:
    """Return the triggers of a table whose function holds the statement `insert`.

    Args:
        rows: of a statement.
        table: quoted.
        insert: beginning of the statement.
        always: whether they should fire for replicated rows too.
    """
    return tuple(
        Installed(
            name,
            _body(code, definer, (settings or "").split("\n"), body),
            _fault(enabled, always=always),
            quoted(*function),
        )
        for name, enabled, code, definer, settings, body, *function in rows(_TRIGGERS, name=table)
        if insert in body
    )


def _fault(enabled: str, *, always: bool) -> str | None:
    if enabled == "D":
        return "is disabled"
    if enabled == "R":
        return "fires for replicated rows only"
    return "does not fire for replicated rows, which --always asks for" if always and enabled != "A" else None
