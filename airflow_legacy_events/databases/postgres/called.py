"""User-defined functions that a view or query calls: they run with the rights of the reading user."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.undone import ask

_TOLD = (
    "%s calls functions that are neither the server's nor an extension's: %s. Anyone who may change them can run code"
    " with the rights of the user of connection %r"
)
_FUNCTIONS = """
WITH RECURSIVE below (oid) AS (
  SELECT r::pg_catalog.oid FROM pg_catalog.unnest({relations}::pg_catalog.regclass[]) AS r WHERE r IS NOT NULL
  UNION
  SELECT d.refobjid FROM below
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class OPERATOR(pg_catalog.=) below.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) r.oid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
), used (class, oid) AS (
  SELECT d.refclassid, d.refobjid FROM below
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class OPERATOR(pg_catalog.=) below.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) r.oid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
)
SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(p.proname)),
       pg_catalog.bool_or(p.provolatile OPERATOR(pg_catalog.<>) 'i'::pg_catalog."char"
         AND p.prosrc OPERATOR(pg_catalog.~*) '^$|\\m(from|join|table|execute)\\M'::pg_catalog.text)
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{{pg_catalog,information_schema}}'::pg_catalog.name[])
   AND (p.proname OPERATOR(pg_catalog.=) ANY ({functions}::pg_catalog.name[])
        OR p.oid OPERATOR(pg_catalog.=) ANY (ARRAY(
             SELECT oid FROM used WHERE class OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass))
        OR p.oid OPERATOR(pg_catalog.=) ANY (ARRAY(
             SELECT o.oprcode::pg_catalog.oid FROM used
               JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) used.oid
              WHERE class OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass)))
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e WHERE e.objid OPERATOR(pg_catalog.=) p.oid
            AND e.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND e.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char")
 GROUP BY 1 ORDER BY 1
"""
_UNHELD = (
    "{}() may read tables whose TRUNCATE or rewriting shows through a snapshot; declare it IMMUTABLE if it reads none,"
    " or write the query without it"
)
_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_LITERAL = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CALL = re.compile(rf"({_NAME})\s*\(")
_RELATION = rf"{_NAME}(?:\.{_NAME})?"
_FROM = re.compile(rf"\b(?:from|join)\s+({_RELATION}(?:\s+(?:as\s+)?\w+)?(?:\s*,\s*{_RELATION})*)", re.IGNORECASE)
_MOST_NAMES = 500


class Calls:
    """Warns once about each user-defined function that views and queries call.

    Args:
        log: of the task.
        conn_id: Airflow's name of the connection, for messages.
    """

    def __init__(self, log: logging.Logger, conn_id: str) -> None:
        self._log, self._conn_id = log, conn_id
        self._reported: set[str] = set()

    def warn(self, session: Connection[Any], table: str | None, query: str | None) -> str | None:
        """Warn about a view or query; return why a snapshot may not keep its data stable, None if it does."""
        found = called_by_query(session, query) if query is not None else called_by_view(session, str(table))
        if new := [name for name in found if name not in self._reported]:
            self._reported.update(new)
            self._log.warning(_TOLD, "the query" if table is None else f"view {table!r}", ", ".join(new), self._conn_id)
        return next((_UNHELD.format(name) for name, reads in found.items() if reads), None)


def called_by_view(session: Connection[Any], table: str) -> dict[str, bool]:
    """Return the functions, with schema, that a view and the views below it call, and whether each may read tables."""
    return _called(session, [table_of(table)], [])


def called_by_query(session: Connection[Any], query: str) -> dict[str, bool]:
    """Return the functions named in a query and those called by the views named in it; see `called_by_view`."""
    text = _LITERAL.sub(" ", query)
    functions = {_stored(name) for name in _CALL.findall(text)}
    relations = {name for found in _FROM.findall(text) for name in re.findall(_RELATION, found)}
    named = sql.SQL("pg_catalog.to_regclass({})")
    found = [named.format(name) for name in sorted(relations)[:_MOST_NAMES]]
    return _called(session, found, sorted(functions)[:_MOST_NAMES])


def _called(session: Connection[Any], relations: Sequence[sql.Composable], functions: list[str]) -> dict[str, bool]:
    if not relations and not functions:
        return {}
    statement = sql.SQL(_FUNCTIONS).format(
        relations=sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(relations)),
        functions=sql.Literal(functions) if functions else sql.SQL("'{}'"),
    )
    [rows] = ask(session, statement)
    return dict(rows)


def _stored(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
