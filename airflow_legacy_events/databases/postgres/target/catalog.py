"""PostgreSQL's catalog about a table that is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.undone import ask

FIND = "SELECT {}::pg_catalog.int8"
"""The OID of a table by its name, in the connection's own search path."""

PATH = "SET LOCAL search_path = pg_catalog, pg_temp"
"""Names of all other schemas are written with their schema, and no function or operator of theirs is found."""

_TABLE = """
SELECT concat(quote_ident(nspname), '.', quote_ident(relname)), relkind::text, relispartition,
       quote_ident(current_user),
       has_database_privilege(current_database(), 'TEMP'), pg_get_partkeydef(c.oid),
       ARRAY(SELECT attname::text FROM pg_partitioned_table AS p JOIN pg_attribute AS a
                 ON attrelid = partrelid AND attnum = ANY (partattrs::int2[]) WHERE partrelid = c.oid),
       row_security_active(c.oid),
       ARRAY(SELECT rulename::text FROM pg_rewrite
              WHERE ev_class = c.oid AND ev_type IN ('2', '3', '4') AND ev_enabled IN ('O', 'A')),
       ARRAY(SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS r (privilege)
              WHERE NOT has_any_column_privilege(c.oid, privilege)),
       has_table_privilege(c.oid, 'DELETE'),
       ARRAY(SELECT attname::text FROM pg_attribute AS a
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                AND NOT has_column_privilege(c.oid, attnum, 'SELECT'))
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE c.oid = {oid}
"""
_TREE = """
WITH RECURSIVE tree (oid) AS (
  SELECT {oid}::oid UNION SELECT inhrelid FROM tree JOIN pg_inherits ON inhparent = tree.oid
  JOIN pg_class AS c ON c.oid = inhrelid AND relispartition
)
SELECT c.oid::int8, c.oid::regclass::text, relkind::text, relpersistence::text
  FROM tree JOIN pg_class AS c ON c.oid = tree.oid ORDER BY c.oid <> {oid}, 2
"""
# A domain's own limits and default count where the column has none.
_COLUMNS = """
WITH RECURSIVE chain (attnum, oid, typmod, required, filled, depth) AS (
  SELECT attnum, atttypid, atttypmod, attnotnull, pg_get_expr(adbin, adrelid), 0
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
   WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped
   UNION ALL
  SELECT attnum, typbasetype, typtypmod, required OR typnotnull, coalesce(filled, typdefault), depth + 1
    FROM chain JOIN pg_type AS t ON t.oid = chain.oid AND typtype = 'd'
), base AS (SELECT DISTINCT ON (attnum) * FROM chain ORDER BY attnum, depth DESC)
SELECT attname, quote_ident(attname), atttypid::int8, format_type(atttypid, atttypmod), format_type(atttypid, -1),
       coalesce(e.typname, t.typname), typmod, required, attgenerated::text, attidentity::text,
       CASE WHEN attgenerated = '' THEN filled END,
       coalesce(NOT collisdeterministic, false), t.typtype::text, n.nspname = 'pg_catalog', a.attnum::int4,
       attcollation::int8, e.oid IS NOT NULL,
       CASE WHEN attcollation NOT IN (0, 100) THEN attcollation::regcollation::text END
  FROM base JOIN pg_attribute AS a ON a.attnum = base.attnum AND attrelid = {oid}
  JOIN pg_type AS t ON t.oid = base.oid JOIN pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN pg_collation AS c ON c.oid = attcollation ORDER BY a.attnum
"""
_INDEXES = """
SELECT indexrelid::regclass::text, indisprimary, indimmediate, indisexclusion,
       (indkey::int2[])[0:indnkeyatts - 1]::int4[], (indcollation::oid[])[0:indnkeyatts - 1]::int8[],
       ARRAY(SELECT format('OPERATOR(%I.%s)', nspname, oprname)
               FROM unnest((indclass::oid[])[0:indnkeyatts - 1]) WITH ORDINALITY AS k (class, at)
               JOIN pg_opclass AS o ON o.oid = class
               JOIN pg_amop ON amopfamily = opcfamily AND amopstrategy = 3 AND amoplefttype = opcintype
                           AND amoprighttype = opcintype AND opcmethod = 403
               JOIN pg_operator AS p ON p.oid = amopopr JOIN pg_namespace AS n ON n.oid = oprnamespace ORDER BY at),
       ARRAY(SELECT relname::text FROM pg_partition_tree(indexrelid::regclass) AS t JOIN pg_class ON oid = relid)
         || ARRAY[(SELECT relname::text FROM pg_class WHERE oid = indexrelid)]
  FROM pg_index
 WHERE indrelid = {oid} AND indisunique AND indisvalid AND indislive AND indpred IS NULL AND indexprs IS NULL
 ORDER BY NOT indisprimary, indexrelid
"""
# Triggers that decide about a row before it is written; those of partitions fire too.
_TRIGGERS = """
SELECT DISTINCT tgname::text, tgtype::int4 & 4 <> 0 FROM pg_trigger
 WHERE tgrelid = ANY (ARRAY(SELECT relid FROM pg_partition_tree({oid}::regclass)) || {oid}::oid)
   AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype::int4 & 3 = 3 ORDER BY 1
"""
_KEYS = """
SELECT conrelid = {oid}, conrelid::regclass::text, confrelid::int8, confrelid::regclass::text, confdeltype::text,
       quote_ident(conname)
  FROM pg_constraint
 WHERE contype = 'f' AND conparentid = 0 AND {oid} IN (conrelid, confrelid) ORDER BY 2, 6
"""
_SERVER = """
SELECT pg_catalog.current_setting('default_transaction_read_only') OPERATOR(pg_catalog.=) 'on'::pg_catalog.text,
       (SELECT relpersistence OPERATOR(pg_catalog.=) 'u'::pg_catalog."char" FROM pg_catalog.pg_class
         WHERE oid OPERATOR(pg_catalog.=) {positions})
"""


class Table(NamedTuple):
    """What the catalog says about the table itself.

    Attributes:
        name: quoted, with its schema.
        kind: `relkind`.
        partition: whether it is one of another table.
        user: quoted.
        temporary: whether this user may make temporary tables.
        partitioned: how it is partitioned; None if it is not.
        partition_keys: names of columns that it is partitioned by.
        secured: whether a policy of row-level security judges this user's statements.
        rules: names of those that rewrite statements.
        lacking: rights among SELECT, INSERT, UPDATE that this user has on no column.
        may_delete: whether this user may delete rows.
        unread: names of columns that this user may not read.
    """

    name: str
    kind: str
    partition: bool
    user: str
    temporary: bool
    partitioned: str | None
    partition_keys: list[str]
    secured: bool
    rules: list[str]
    lacking: list[str]
    may_delete: bool
    unread: list[str]


class Part(NamedTuple):
    """The table, or a partition of it: OID, name, `relkind` and `relpersistence`."""

    oid: int
    name: str
    kind: str
    persistence: str


class Attribute(NamedTuple):
    """A column.

    Attributes:
        name: of it.
        quoted: the same in SQL.
        oid: of the type.
        type: as declared.
        open_type: without length or precision.
        base: name of the type below domains and arrays.
        typmod: of that type; -1 for none.
        required: whether NULL is refused.
        generated: `s` or `v` for a generated column, else empty.
        identity: `a` or `d` for an identity column, else empty.
        default: expression of a new row's value; None if there is none.
        folded: whether its collation calls unlike texts equal.
        class_: `typtype` of the type below domains.
        builtin: whether that is a type of the server itself.
        number: of the column.
        collation: OID of its collation; 0 for a type without one.
        array: whether its values are arrays.
        collation_name: quoted, with its schema; None for the database's own.
    """

    name: str
    quoted: str
    oid: int
    type: str
    open_type: str
    base: str
    typmod: int
    required: bool
    generated: str
    identity: str
    default: str | None
    folded: bool
    class_: str
    builtin: bool
    number: int
    collation: int
    array: bool
    collation_name: str | None


class Unique(NamedTuple):
    """A unique index over columns alone, and all rows.

    Attributes:
        name: quoted, with its schema.
        primary: whether it is the primary key's.
        immediate: whether it judges each row at once; a deferrable constraint does not.
        exclusion: whether it is one that compares by another operator than equality, such as WITHOUT OVERLAPS.
        numbers: of its columns.
        collations: of each.
        equals: operator of equality of each.
        names: of the index and those below it in partitions, without schema.
    """

    name: str
    primary: bool
    immediate: bool
    exclusion: bool
    numbers: list[int]
    collations: list[int]
    equals: list[str]
    names: list[str]


class ForeignKey(NamedTuple):
    """A foreign key of the table, or one that points to it.

    Attributes:
        own: whether it is one of the table itself.
        table: that has it.
        parent: OID of the table that it points to.
        parent_name: of that table.
        on_delete: `confdeltype`.
        name: of the constraint.
    """

    own: bool
    table: str
    parent: int
    parent_name: str
    on_delete: str
    name: str


class Found(NamedTuple):
    """All of it.

    Attributes:
        table: itself.
        tree: the table and its partitions.
        columns: in order.
        unique: indexes, the primary key's first.
        triggers: names of those that decide about a row before it is written, and whether at an INSERT.
        keys: foreign keys.
        read_only: whether transactions are read-only unless they say so.
        unlogged_positions: whether the table of positions is unlogged.
    """

    table: Table
    tree: list[Part]
    columns: list[Attribute]
    unique: list[Unique]
    triggers: list[tuple[str, bool]]
    keys: list[ForeignKey]
    read_only: bool
    unlogged_positions: bool


def find_oid(session: psycopg.Connection[Any], table: str) -> int | None:
    """Return the OID of a table by its name as the user wrote it; None if there is none."""
    [[(oid,)]] = ask(session, sql.SQL(FIND).format(table_of(table)))
    return None if oid is None else int(oid)


def look_up(session: psycopg.Connection[Any], oid: int, positions: str) -> Found:
    """Return what the catalog says about a table, in one round trip.

    Args:
        session: to query; it is left as it was.
        oid: of the table.
        positions: name of the table that positions are kept in.
    """
    of = sql.SQL(str(oid))
    statements = [sql.SQL(one).format(oid=of) for one in (_TABLE, _TREE, _COLUMNS, _INDEXES, _TRIGGERS, _KEYS)]
    server = sql.SQL(_SERVER).format(positions=table_of(positions))
    [(read_only, unlogged)], table, tree, columns, indexes, triggers, keys = ask(session, server, PATH, *statements)
    return Found(
        Table(*table[0]),
        [Part(*row) for row in tree],
        [Attribute(*row) for row in columns],
        [Unique(*row) for row in indexes],
        [(name, bool(inserting)) for name, inserting in triggers],
        [ForeignKey(*row) for row in keys],
        bool(read_only),
        bool(unlogged),
    )


def oids_of(session: psycopg.Connection[Any], tables: Sequence[str]) -> dict[int, str]:
    """Return the names of tables as the user wrote them, by OID; those that are not there are left out."""
    if not tables:
        return {}
    found = ask(session, *(sql.SQL(FIND).format(table_of(one)) for one in tables))
    return {int(oid): name for name, [(oid,)] in zip(tables, found, strict=True) if oid is not None}
