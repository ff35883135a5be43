"""Names of types, and operators of their default order, as the catalog has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.postgres import types

from airflow_legacy_events.databases.postgres.qualified import Named, Operators

# ORDER BY takes the default class of B-trees: that of the type itself, or of one that it is stored like.
_OPERATORS = """
WITH RECURSIVE base (asked, oid) AS (
  SELECT t, t FROM pg_catalog.unnest(%s::pg_catalog.oid[]) AS asked (t)
  UNION
  SELECT asked, t.typbasetype FROM base JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) base.oid
   WHERE t.typbasetype OPERATOR(pg_catalog.<>) 0
), named AS (
  SELECT t.oid, pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(t.typname)) AS name,
         t.typtype
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
)
SELECT asked::pg_catalog.int8, named.name, class.name, class.operators,
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
"""By the `typtype` of a type; a function serves no index, but is the only one of its name."""


def find_names(session: Connection[Any], oids: Sequence[int]) -> dict[int, Named]:
    """Return what statements call the types; only those that not every server has are looked up in the catalog."""
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
    """Return the functions that order a type made by a user, of which an implicit cast leads elsewhere.

    An operator for any enumeration is not preferred to that of what such a cast leads to: the cast would be called, and
    the order be another one than ORDER BY has. Only one function has the name.
    """
    if (known := _FUNCTIONS.get(kind or "")) is None:
        return None
    names = dict(zip(_STRATEGIES, (f"{_BUILT_IN}.{known}_{word}" for word in _WORDS), strict=True))
    return Operators(type_, names, called=True)


def _operators(type_: str | None, by_strategy: dict[str, list[str]] | None) -> Operators | None:
    """Return the operators; None for those of `pg_catalog`, which find themselves."""
    found = by_strategy or {}
    if type_ is None or all(schema == _BUILT_IN for schema, _ in found.values()):
        return None
    names = (found[str(number)] for number, _ in enumerate(_STRATEGIES, 1))
    return Operators(
        type_, dict(zip(_STRATEGIES, (f"OPERATOR({schema}.{name})" for schema, name in names), strict=True))
    )
