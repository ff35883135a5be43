"""PostgreSQL types: each has its own kind, is an array, is carried as text, or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from psycopg import Connection
from psycopg.postgres import types

from airflow_legacy_events.core.columns import Elements, Kind

_KINDS = {
    Kind.INTEGER: ("int2", "int4", "int8", "oid", "xid", "xid8", "cid"),
    Kind.DECIMAL: ("numeric",),
    Kind.MONEY: ("money",),
    Kind.FLOAT: ("float4", "float8"),
    Kind.BOOLEAN: ("bool",),
    Kind.DATE: ("date",),
    Kind.TIME: ("time", "timetz"),
    Kind.TIMESTAMP: ("timestamp",),
    Kind.INSTANT: ("timestamptz",),
    Kind.UUID: ("uuid",),
    Kind.JSON: ("json", "jsonb"),
    Kind.BYTES: ("bytea",),
}
MONEY_FORM = "SET lc_monetary = 'C'"
"""Makes a session write money as `-$1,234.56`."""

_TEXTS = ("text", "varchar", "bpchar", "name", '"char"')
_KIND_OF_NAME = {name: kind for kind, names in _KINDS.items() for name in names}

REFUSED = frozenset(
    {
        *("pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list"),
        *("pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "gtsvector"),
        *("gtrgm", "ghstore", "gbtreekey2", "gbtreekey4", "gbtreekey8", "gbtreekey16", "gbtreekey32", "gbtreekey_var"),
        *("ltree_gist", "intbig_gkey"),
    }
)
"""Internal base types of the server and its indexes; their text is not a value that a table could store.

Pseudo-types are refused too, except `record`.
"""

_SCALE = "SELECT pg_catalog.scale('1'::pg_catalog.money::pg_catalog.numeric)"
_ENUM, _COMPOSITE, _RANGE, _MULTIRANGE, _PSEUDO = "e", "c", "r", "m", "p"
_CENTS = 2
_AS_TEXT = (_ENUM, _COMPOSITE, _RANGE, _MULTIRANGE)

# Types with their element types. Only true arrays count: int2vector and point have elements too.
_CATALOG = """
WITH RECURSIVE needed (oid) AS (
  SELECT pg_catalog.unnest(%s::pg_catalog.oid[])
  UNION
  SELECT part FROM needed AS n JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) n.oid,
         pg_catalog.unnest(ARRAY[t.typelem, t.typbasetype]) AS p (part)
   WHERE part OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
)
SELECT t.oid::pg_catalog.int8, pg_catalog.format_type(t.oid, NULL), t.typname,
       n.nspname OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.name, t.typtype::pg_catalog.text,
       CASE WHEN t.typbasetype OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN t.typbasetype::pg_catalog.int8 END,
       e.oid::pg_catalog.int8, e.typdelim::pg_catalog.text
  FROM needed JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) needed.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  LEFT JOIN pg_catalog.pg_type AS e
    ON e.oid OPERATOR(pg_catalog.=) t.typelem AND e.typarray OPERATOR(pg_catalog.=) t.oid
"""


class Type(NamedTuple):
    """A column type.

    Attributes:
        name: as written in SQL; empty if the driver knows it, with the column's own precision.
        kind: None if its values can't be carried.
        elements: of an array.
    """

    name: str
    kind: Kind | None
    elements: Elements | None = None


class _Row(NamedTuple):
    oid: int
    display: str
    name: str
    builtin: bool
    type: str
    base: int | None
    element: int | None
    delimiter: str | None
    cents: bool = True


def find_types(session: Connection[Any], oids: Sequence[int]) -> dict[int, Type]:
    """Return the types by oid. Only types that are not built in are looked up in the catalog."""
    unknown = [oid for oid in oids if oid not in _USUAL]
    found = {oid: _USUAL[oid] for oid in oids if oid in _USUAL}
    if unknown:
        rows = {row[0]: _Row(*row) for row in session.execute(_CATALOG, (unknown,))}
        if money := [oid for oid, row in rows.items() if row.builtin and row.name == "money"]:
            rows |= {oid: rows[oid]._replace(cents=_writes_cents(session)) for oid in money}
        found |= {oid: _judged(rows[oid], rows) for oid in unknown}
    return found


def holds_money(type_: Type) -> bool:
    """Return whether a type is money or an array of it."""
    return Kind.MONEY in (type_.kind, type_.elements.kind if type_.elements else None)


def _writes_cents(session: Connection[Any]) -> bool:
    """Make the session write money as `-$1,234.56` if it is stored in hundredths; return whether it is.

    The database's lc_monetary determines the meaning of the stored number: 1234 is 1234 yen or 12.34 dollars.
    """
    (digits,) = cast("tuple[int]", session.execute(_SCALE).fetchone())
    if digits != _CENTS:
        return False
    session.execute(MONEY_FORM)
    return True


def _judged(row: _Row, rows: dict[int, _Row]) -> Type:
    if row.base is not None:
        return _judged(rows[row.base], rows)._replace(name=row.display)
    if row.element is not None:
        return _array(row.display, _judged(rows[row.element], rows), str(row.delimiter))
    if not row.cents:
        return Type(
            f"{row.display}, which under this lc_monetary does not have two decimal digits; CAST(… AS numeric) carries"
            " it",
            None,
        )
    return Type(row.display, _kind(row.name, row.type, builtin=row.builtin))


def _array(name: str, element: Type, delimiter: str) -> Type:
    if element.kind is None:
        return Type(name, None)
    return Type(name, Kind.ARRAY, Elements(element.kind, delimiter, element.elements))


def _kind(name: str, type_: str, *, builtin: bool) -> Kind | None:
    if type_ in _AS_TEXT:
        return Kind.TEXT
    if type_ == _PSEUDO:
        return Kind.TEXT if name == "record" else None
    if name in REFUSED:
        return None
    return _KIND_OF_NAME.get(name, Kind.TEXT) if builtin else Kind.TEXT


def _usual() -> dict[int, Type]:
    found = {}
    for known in types:
        if known.name != "money" and known.name in (*_KIND_OF_NAME, *_TEXTS):
            found[known.oid] = one = Type("", _KIND_OF_NAME.get(known.name, Kind.TEXT))
            found[known.array_oid] = _array("", one, known.delimiter)
    return found


_USUAL = _usual()
