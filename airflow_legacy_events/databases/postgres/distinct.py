"""Uniqueness that PostgreSQL's indexes prove for the rows read: column lists without duplicate values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import Connection

from airflow_legacy_events.databases.postgres.collations import Collation
from airflow_legacy_events.databases.postgres.entries import Attribute, Entry, Index

_FIRST_OF_USERS = 16_384
"""First oid of user-defined objects. Built-in operator classes, below it, agree on equality."""

# Types and operator classes for which comparisons and the index may disagree: comparisons use the default class of the
# type itself, if it has one. 2249 and so on are record, anyarray, anyenum, anyrange, anymultirange.
_DISAGREE = """
SELECT class::pg_catalog.int8, type::pg_catalog.int8
  FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.oid[]), pg_catalog.unnest(%s::pg_catalog.oid[])) AS k (class, type)
  JOIN pg_catalog.pg_opclass AS c ON c.oid OPERATOR(pg_catalog.=) class
  JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) type
 WHERE NOT (opcdefault AND (
         opcintype OPERATOR(pg_catalog.=) ANY (ARRAY[type, typbasetype])
      OR opcintype OPERATOR(pg_catalog.=) ANY ('{2249, 2277, 3500, 3831, 4537}'::pg_catalog.oid[])
      OR greatest(typbasetype, CASE WHEN typtype OPERATOR(pg_catalog.<>) 'd'::pg_catalog."char" THEN type END)
         OPERATOR(pg_catalog.<) 16384::pg_catalog.oid))
"""


def distinct_columns(
    session: Connection[Any],
    entry: Entry,
    columns: Mapping[int, Attribute],
    indexes: Sequence[Index],
    collations: Mapping[int, Collation],
) -> tuple[tuple[str, ...], ...]:
    """Return the column lists whose values no two rows share; see `core.ports.TableState.distinct`.

    Deferred constraints count: they hold for all committed rows, and only committed rows are read.

    Args:
        session: queried about indexes on user-defined types or operator classes.
        entry: the table; a parent's index does not cover its children, but a partitioned table's index covers its
            partitions.
        columns: by number.
        indexes: valid ones that cover every row.
        collations: of the columns, by oid.
    """
    if entry.parent and entry.kind != "p":
        return ()
    unique = [one for one in indexes if one.unique and _same_text(one, columns, collations)]
    doubtful = {pair for one in unique if not one.primary for pair in _doubtful(one, columns)}
    if doubtful:
        wrong = set(session.execute(_DISAGREE, tuple(map(list, zip(*sorted(doubtful), strict=True)))).fetchall())
        unique = [one for one in unique if one.primary or not wrong & set(_doubtful(one, columns))]
    return tuple(dict.fromkeys(tuple(columns[number].name for number in one.keys) for one in unique))


def _same_text(index: Index, columns: Mapping[int, Attribute], collations: Mapping[int, Collation]) -> bool:
    """Whether text that compares equal is also equal in the index.

    If the column's collation is deterministic, an index under any other collation is just as strict.
    """
    return all(
        columns[number].collation == collation
        or columns[number].collation not in collations
        or collations[columns[number].collation].deterministic
        for number, collation in zip(index.keys, index.collations, strict=False)
    )


def _doubtful(index: Index, columns: Mapping[int, Attribute]) -> Iterator[tuple[int, int]]:
    for number, class_ in zip(index.keys, index.classes, strict=False):
        if max(class_, columns[number].type) >= _FIRST_OF_USERS:
            yield class_, columns[number].type
