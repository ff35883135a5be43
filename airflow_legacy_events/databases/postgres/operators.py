"""Type names, and the operators of their default sort order, from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.postgres import types

from airflow_legacy_events.databases.postgres.qualified import Named, Operators

# ORDER BY uses the default B-tree operator class of the type itself, or of a binary-coercible type.
_OPERATORS = """
WITH RECURSIVE base (wanted, oid) AS (
  SELECT t, t FROM pg_catalog.unnest(%s::pg_catalog.oid[]) AS wanted (t)
  UNION
  SELECT wanted, t.typbasetype FROM base JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) base.oid
   WHERE t.typbasetype OPERATOR(pg_catalog.<>) 0
), named AS (
  SELECT t.oid, pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(t.typname)) AS name,
         t.typtype
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
)
SELECT wanted::pg_catalog.int8, named.name, class.name, class.operators,
       CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castsource OPERATOR(pg_catalog.=) base.oid
                            AND castcontext OPERATOR(pg_catalog.=) 'i') THEN named.typtype::pg_catalog.text END
  FROM base JOIN named ON named.oid OPERATOR(pg_catalog.=) base.oid AND named.typtype OPERATOR(pg_catalog.<>) 'd'
  LEFT JOIN LATERAL (
    SELECT input.name,
           (SELECT pg_catalog.json_object_agg(
                     a.amopstrategy, ARRAY[pg_catalog.quote_ident(n.nspname), o.oprname::pg_catalog.text])
              FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) a.amopopr
              JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
             WHERE a.amopfamily OPERATOR(pg_catalog.=) c.opcfamily
               AND a.amoplefttype OPERATOR(pg_catalog.=) c.opcintype
               AND a.amoprighttype OPERATOR(pg_catalog.=) c.opcintype) AS operators
      FROM pg_catalog.pg_opclass c JOIN named input ON input.oid OPERATOR(pg_catalog.=) c.opcintype
     WHERE c.opcdefault
       AND (SELECT amname FROM pg_catalog.pg_am WHERE oid OPERATOR(pg_catalog.=) c.opcmethod)
           OPERATOR(pg_catalog.=) 'btree'
       AND (c.opcintype OPERATOR(pg_catalog.=) base.oid OR EXISTS (
             SELECT FROM pg_catalog.pg_cast WHERE castsource OPERATOR(pg_catalog.=) base.oid
                AND casttarget OPERATOR(pg_catalog.=) c.opcintype AND castmethod OPERATOR(pg_catalog.=) 'b'
                AND castcontext OPERATOR(pg_catalog.=) 'i'))
     ORDER BY c.opcintype OPERATOR(pg_catalog.=) base.oid DESC LIMIT 1
  ) AS class ON true
"""
_STRATEGIES = ("<", "<=", "=", ">=", ">")
_WORDS = ("lt", "le", "eq", "ge", "gt")
_BUILT_IN = "pg_catalog"
_FUNCTIONS = {"e": "enum", "r": "range", "m": "multirange", "c": "record"}
"""Comparison functions by `typtype`. A function can't use an index, but its name is unambiguous."""


def find_names(session: Connection[Any], oids: Sequence[int]) -> dict[int, Named]:
    """Return the names of the types in statements. Only types that are not built in are looked up in the catalog."""
    found = {oid: Named(_built_in(oid)) for oid in oids if types.get(oid) is not None}
    if unknown := [oid for oid in oids if oid not in found]:
        rows = session.execute(_OPERATORS, (unknown,))
        for oid, name, input_, by_strategy, cast in rows:
            found[oid] = Named(name, _operators(input_, by_strategy) if input_ else _functions(name, cast))
    return found


def _built_in(oid: int) -> str:
    known = types[oid]
    return f"{_BUILT_IN}.{known.name}{'[]' if oid == known.array_oid else ''}"


def _functions(type_: str, kind: str | None) -> Operators | None:
    """Return the comparison functions of a user-defined type that has an implicit cast.

    Operator resolution may prefer the cast's target type to the polymorphic operator, such as that of anyenum. The
    order would then differ from that of ORDER BY. The function has an unambiguous name.
    """
    if (known := _FUNCTIONS.get(kind or "")) is None:
        return None
    names = dict(zip(_STRATEGIES, (f"{_BUILT_IN}.{known}_{word}" for word in _WORDS), strict=True))
    return Operators(type_, names, called=True)


def _operators(type_: str | None, by_strategy: dict[str, list[str]] | None) -> Operators | None:
    """Return the operators; None for those of `pg_catalog`, which need no lookup."""
    found = by_strategy or {}
    if type_ is None or all(schema == _BUILT_IN for schema, _ in found.values()):
        return None
    names = (found[str(number)] for number, _ in enumerate(_STRATEGIES, 1))
    return Operators(
        type_, dict(zip(_STRATEGIES, (f"OPERATOR({schema}.{name})" for schema, name in names), strict=True))
    )
