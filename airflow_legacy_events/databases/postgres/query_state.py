"""State of a PostgreSQL query: the views that it reads, and whether a snapshot keeps its data stable."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql

from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.databases.postgres.below import below_relations
from airflow_legacy_events.databases.postgres.session import reason
from airflow_legacy_events.databases.postgres.undone import around
from airflow_legacy_events.databases.postgres.written import Writing, statements_below

Origins = Mapping[str, tuple[int, int]]
_NONE: Origins = MappingProxyType({})

# Planning locks every relation that a statement reads, including views, until its transaction ends.
_LOCKS = sql.SQL("""ARRAY(
         SELECT relation FROM pg_catalog.pg_locks
          WHERE locktype OPERATOR(pg_catalog.=) 'relation'::pg_catalog.text
            AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
            AND relation OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)""")
_LOCKED = sql.SQL("""
SELECT oid::pg_catalog.int8 FROM pg_catalog.pg_class
 WHERE oid OPERATOR(pg_catalog.=) ANY ({})
   AND relkind OPERATOR(pg_catalog.=) ANY ('{{v,m,f}}'::pg_catalog."char"[])
""").format(_LOCKS)
_NAMED = """
SELECT oid FROM pg_catalog.pg_proc WHERE proname OPERATOR(pg_catalog.=) ANY ({}::pg_catalog.name[])
"""


def query_state(session: Connection[Any], query: str, origins: Origins = _NONE) -> TableState:
    """Return the state of a query, in one round trip if it reads only tables.

    Args:
        session: to query.
        query: one SELECT; it is sent as a message of its own, so that it can't be several statements.
        origins: of its columns, each as `Field.origin`.

    Raises:
        psycopg.OperationalError: the session was lost.
    """
    try:
        plan, relations, tables = _planned(session, query)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return TableState(unknown=(f"what the query reads: EXPLAIN of it fails with {reason(error)}",))
    functions = sorted(set(_functions(plan)))
    found = below_relations(session, relations, sql.SQL(_NAMED).format(functions) if functions else None)
    writing = Writing.below(tables, None, found.renamed, origins)
    return TableState(definition=found.definition, unheld=found.unheld, writing=writing)


def _planned(session: Connection[Any], query: str) -> tuple[Any, list[int], list[Any]]:
    """Return a query's plan, the oids of the views and foreign tables that it reads, including partitions, and tables.

    The tables are answers for `Writing.below`.
    """
    begin, end = around(session)
    explained = f"EXPLAIN (FORMAT JSON, COSTS OFF) {query}"
    looks = [one.as_string() for one in (_LOCKED, *statements_below(_LOCKS))]
    texts = (begin, explained, *looks, *end)
    try:
        with session.pipeline():
            cursors = [Cursor(session).execute(text.encode()) for text in texts]
            [(plan,)], read = cursors[1].fetchall(), [oid for (oid,) in cursors[2]]
            tables = [one.fetchall() for one in cursors[3 : -len(end)]]
    except psycopg.Error:
        with contextlib.suppress(psycopg.Error):
            Cursor(session).execute("; ".join(end).encode())
        raise
    return plan, read, tables


def _functions(node: Any) -> Iterator[str]:
    """Yield the names of the functions from which a plan reads rows."""
    for one in node if isinstance(node, list) else [node]:
        if isinstance(one, dict):
            if "Function Name" in one:
                yield one["Function Name"]
            for inner in one.values():
                yield from _functions(inner)
