"""What PostgreSQL's indexes prove of the rows that are read: which columns no two of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import Connection

from airflow_legacy_events.databases.postgres.collations import Collation
from airflow_legacy_events.databases.postgres.entries import Attribute, Entry, Index

_FIRST_OF_USERS = 16_384
"""Below this number are the oids of what every server has; its operator classes agree on what is equal."""

# Of these types and operator classes comparisons and the index may disagree: comparisons take the class that is the
# default one of the type itself, if it has one. 2249 and so on are record, anyarray, anyenum, anyrange, anymultirange.
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
    """Return the column lists of which no two rows share the values; see `core.ports.TableState.distinct`.

    A constraint that is checked at the end of a transaction holds for everything that is committed, and nothing else is
    read.

    Args:
        session: that is asked about indexes of types or operator classes which not every server has.
        entry: the table; an index of a parent does not hold for its children, one of a partitioned table does.
        columns: by number.
        indexes: valid ones that leave no row out.
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
    """Whether texts that are equal to comparisons are equal to the index, too.

    Under a collation whose equal texts are equal bytes an index of any other one is as strict.
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
