"""Effects of deleting or updating rows of a PostgreSQL table, from the catalog."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import Connection, sql

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases import effects
from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.effects import DELETE, UPDATE, set_off
from airflow_legacy_events.databases.postgres.replication import written_elsewhere
from airflow_legacy_events.databases.reflection import not_a_table
from airflow_legacy_events.databases.table_names import no_such_table

_TABLE = """
SELECT oid::pg_catalog.int8, relkind::pg_catalog.text,
       pg_catalog.concat(
         pg_catalog.quote_ident(
           (SELECT nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.=) relnamespace)),
         '.', pg_catalog.quote_ident(relname))
  FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) {}
"""
_TREE = """
WITH RECURSIVE tree (oid) AS (
  SELECT %s::pg_catalog.oid
  UNION
  SELECT inhrelid FROM tree JOIN pg_catalog.pg_inherits ON inhparent OPERATOR(pg_catalog.=) tree.oid
)
SELECT pg_catalog.array_agg(c.oid::pg_catalog.int8),
       pg_catalog.bool_or(relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char")
  FROM tree JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) tree.oid
"""
_FOREIGN_KEYS = """
SELECT conrelid::pg_catalog.regclass::pg_catalog.text, conname, confdeltype::pg_catalog.text,
       ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.unnest(conkey) WITH ORDINALITY AS k (number, at)
               JOIN pg_catalog.pg_attribute
                 ON attrelid OPERATOR(pg_catalog.=) conrelid AND attnum OPERATOR(pg_catalog.=) number ORDER BY at)
  FROM pg_catalog.pg_constraint
 WHERE contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
   AND confrelid OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.oid[])
   AND conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
"""
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
# An index expression has column number 0.
_PARTIAL = """
SELECT ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.unnest(indkey) WITH ORDINALITY AS k (number, at)
               LEFT JOIN pg_catalog.pg_attribute
                 ON attrelid OPERATOR(pg_catalog.=) indrelid AND attnum OPERATOR(pg_catalog.=) number
                AND number OPERATOR(pg_catalog.>) 0::pg_catalog.int2
              WHERE at OPERATOR(pg_catalog.<=) indnkeyatts::pg_catalog.int8 ORDER BY at),
       pg_catalog.pg_get_expr(indpred, indrelid)
  FROM pg_catalog.pg_index
 WHERE indrelid OPERATOR(pg_catalog.=) %s::pg_catalog.oid AND indisvalid AND indpred IS NOT NULL ORDER BY indexrelid
"""
_NUMBERS = """
SELECT pg_catalog.sum(pg_catalog.pg_total_relation_size(oid::pg_catalog.regclass))::pg_catalog.int8,
       pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on',
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(oid))::pg_catalog.int8,
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(oid))::pg_catalog.int8
  FROM pg_catalog.unnest(%s::pg_catalog.oid[]) AS t (oid)
"""
_CYCLES = """
SELECT seqrelid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_sequence
  JOIN pg_catalog.pg_depend
    ON classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
   AND objid OPERATOR(pg_catalog.=) seqrelid
   AND deptype OPERATOR(pg_catalog.=) ANY ('{a,i}'::pg_catalog."char"[])
 WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
   AND refobjid OPERATOR(pg_catalog.=) %s::pg_catalog.oid AND seqcycle
"""
_TABLES = frozenset("rp")
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


class _Numbers(NamedTuple):
    bytes: int
    counted: bool
    inserted: int
    deleted: int


def table_writes(session: Connection[Any], table: str) -> TableWrites:
    """Return the effects of deleting or updating rows of a table. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is no table of that name, or it is not a table.
    """
    oid, tree, name = _find(session, table)
    keys = [
        effects.ForeignKey(of, columns, constraint, _ACTIONS[action])
        for of, constraint, action, columns in session.execute(_FOREIGN_KEYS, (tree,))
    ]
    elsewhere, unknown = written_elsewhere(session, tree)
    [numbers] = map(_Numbers._make, session.execute(_NUMBERS, (tree,)))
    return TableWrites(
        name,
        elsewhere,
        references=effects.references(keys),
        effects=effects.cascades(keys) + set_off(session, oid, tree, DELETE),
        update_effects=set_off(session, oid, tree, UPDATE),
        ids_return=_ids_return(session, oid),
        partial=_partial(session, oid),
        churn=(numbers.inserted, numbers.deleted) if numbers.counted else None,
        bytes=numbers.bytes,
        unknown=unknown,
    )


def _find(session: Connection[Any], table: str) -> tuple[int, list[int], str]:
    """Return the oids of the table, its partitions and its children, and the table's name."""
    found = session.execute(sql.SQL(_TABLE).format(table_of(table))).fetchone()
    if found is None:
        raise no_such_table(table, [])
    oid, kind, name = found
    if kind not in _TABLES:
        raise not_a_table(table, _KINDS.get(kind, "no table"))
    [(tree, foreign)] = session.execute(_TREE, (oid,))
    if foreign:
        raise not_a_table(table, "a table with partitions on other servers")
    return oid, tree, name


def _partial(session: Connection[Any], oid: int) -> tuple[tuple[tuple[str, ...], str], ...]:
    found = session.execute(_PARTIAL, (oid,)).fetchall()
    return tuple((tuple(columns), condition) for columns, condition in found if None not in columns)


def _ids_return(session: Connection[Any], oid: int) -> str | None:
    sequence = session.execute(_CYCLES, (oid,)).fetchone()
    return f"the sequence {sequence[0]} restarts after its last number (CYCLE)" if sequence else None
