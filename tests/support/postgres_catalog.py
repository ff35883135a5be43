"""The types of a running server, each with what makes its values, and a few types of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.postgres_oracle import Type
from tests.support.postgres_values import MAKERS, Make, array_of, composite_of, range_of

EXTENSIONS = ("hstore", "citext", "ltree", "cube", "seg", "btree_gist", "pg_trgm")
OWN = (
    "CREATE TYPE \"Mood\" AS ENUM ('ok', 'not ok', '\"q\"', 'ä,b', '')",
    "CREATE DOMAIN price AS numeric(12, 2)",
    "CREATE DOMAIN price_again AS price",
    "CREATE DOMAIN ints AS integer[]",
    "CREATE TYPE pair AS (a integer, b text, c timestamptz[])",
    "CREATE DOMAIN pairs AS pair",
    "CREATE TYPE spans AS RANGE (subtype = integer)",
    'CREATE TABLE "Odd table" (a jsonb, b "Mood")',
)
REFUSED = {
    *("pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list"),
    *("pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "gtsvector"),
    *("gtrgm", "ghstore", "ltree_gist"),
    *("gbtreekey2", "gbtreekey4", "gbtreekey8", "gbtreekey16", "gbtreekey32", "gbtreekey_var"),
    *("cstring", "any", "anyarray", "void", "trigger", "event_trigger", "language_handler", "internal", "anyelement"),
    *("anynonarray", "anyenum", "fdw_handler", "index_am_handler", "tsm_handler", "table_am_handler", "anyrange"),
    *("anycompatible", "anycompatiblearray", "anycompatiblenonarray", "anycompatiblerange", "anymultirange"),
    *("anycompatiblemultirange", "pg_ddl_command", "unknown"),
}
"""Neither carried nor made: no table can hold them, or their text is no value."""

_CATALOG = """
SELECT t.oid::int8, t.typname::text, format_type(t.oid, -1), t.typtype::text, t.typbasetype::int8,
       coalesce(e.oid, 0)::int8, e.typdelim::text,
       ARRAY(SELECT a.atttypid::int8 FROM pg_attribute a
              WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum),
       ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid), coalesce(c.relkind::text, '')
  FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE t.typisdefined ORDER BY t.oid
"""


@dataclass
class Known:
    """A type of the server.

    Attributes:
        oid: of it.
        catalogs: whether it is the row type of a table or view, or an array of such.
        storable: whether a column of a table can have it.
        make: another value as text; None where the type is refused.
        always: values that every table holds.
    """

    oid: int
    type: Type
    catalogs: bool
    storable: bool
    make: Make | None
    always: tuple[str, ...] = field(default=())

    def values(self, r: Random, count: int) -> list[str | None]:
        """So many values, the extreme ones first, NULL among them."""
        assert self.make is not None
        random = [None if r.random() < 0.1 else self.make(r) for _ in range(count)]
        return [*self.always, None, *random][:count]


def prepare(execute: Any) -> None:
    """Make what a server may have besides its own types."""
    for extension in EXTENSIONS:
        execute(f"CREATE EXTENSION {extension}")
    for statement in OWN:
        execute(statement)


class Catalog:
    """All types of one server."""

    def __init__(self, connection: Any) -> None:
        self._rows = {row[0]: row for row in connection.execute(_CATALOG)}

    def __iter__(self) -> Iterator[Known]:
        """Raises KeyError with the name of a type that nothing makes and that is not refused."""
        for oid, row in self._rows.items():
            name, element = row[1], row[5]
            catalogs = (row[9] or (self._rows[element][9] if element else "")) not in ("", "c")
            always = MAKERS[name][0] if name in MAKERS and not element else ()
            made = None if self.refused(oid) else self._make(oid)
            yield Known(oid, self._type(oid), catalogs, self._storable(oid), made, always)

    def refused(self, oid: int) -> bool:
        """Whether the type can't be carried."""
        _, name, _, _, base, element, *_ = self._rows[oid]
        return name in REFUSED or bool((base or element) and self.refused(base or element))

    def _storable(self, oid: int) -> bool:
        _, _, _, kind, base, element, _, fields, *_ = self._rows[oid]
        if base or element:
            return self._storable(base or element)
        return kind != "p" and all(map(self._storable, fields))

    def _type(self, oid: int) -> Type:
        _, name, sql, _, base, element, *_ = self._rows[oid]
        if base:
            return self._type(base)._replace(sql=sql)
        return Type(sql, name, self._type(element) if element else None)

    def _make(self, oid: int) -> Make:
        _, name, _, kind, base, element, delimiter, fields, labels, _ = self._rows[oid]
        if element:
            return array_of(self._make(element), delimiter)
        if name in MAKERS:
            return MAKERS[name][1]
        if base:
            return self._make(base)
        if kind == "e":
            return lambda r: r.choice(labels)
        if kind in "rm":
            return range_of(name)
        if kind == "c" or name == "record":
            return composite_of([None if self._shy(one) else self._make(one) for one in fields])
        raise KeyError(f"type {name!r} is neither made by the test nor on its list of refused ones")

    def _shy(self, oid: int) -> bool:
        """A field of a catalog's row that stays NULL."""
        return self.refused(oid) or not self._storable(oid)
