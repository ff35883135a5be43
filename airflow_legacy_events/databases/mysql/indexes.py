"""MySQL and MariaDB indexes: which guarantee distinct rows, and which columns give pages an order."""

from __future__ import annotations

from itertools import groupby, takewhile
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.session import Session

_INDEXES = """
SELECT index_name, non_unique, column_name, sub_part, index_type, collation, {usable}
  FROM information_schema.statistics
 WHERE table_schema = %s AND table_name = %s ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index
"""
_OF_WORDS = frozenset({"FULLTEXT", "SPATIAL", "RTREE"})


class Index(NamedTuple):
    """An index.

    Attributes:
        name: of the index.
        columns: its first columns, up to the first part that is an expression or a prefix of a column.
        ascending: those of `columns` by which the optimizer can read rows in ascending order.
        unique: whether `columns` are the whole index, and the index is declared unique.
        whole: whether `ascending` is the whole index.
        hashed: whether it stores hashes of the values.
        declared_unique: whether it is declared unique, over parts of columns or expressions too.
    """

    name: str
    columns: tuple[str, ...] = ()
    ascending: tuple[str, ...] = ()
    unique: bool = False
    whole: bool = False
    hashed: bool = False
    declared_unique: bool = False


def read_indexes(session: Session, schema: str, table: str) -> list[Index]:
    """Return the indexes of a table, its primary key first."""
    rows = session.rows(_INDEXES.format(usable=_usable(session)), schema, table)
    return [_index(str(name), list(parts)) for name, parts in groupby(rows, key=lambda row: row[0])]


def _usable(session: Session) -> str:
    """Return the condition that the optimizer may use an index; FORCE INDEX fails for one that it ignores."""
    if session.mariadb:
        return "ignored = 'NO'" if session.version >= (10, 6) else "1"
    return "is_visible = 'YES'" if session.version >= (8,) else "1"


def _index(name: str, parts: list[tuple[Any, ...]]) -> Index:
    plain = list(takewhile(lambda part: part[2] is not None and part[3] is None and part[4] not in _OF_WORDS, parts))
    ascending = list(takewhile(lambda part: part[4] == "BTREE" and part[5] == "A" and part[6] == "1", plain))
    return Index(
        name,
        tuple(str(part[2]) for part in plain),
        tuple(str(part[2]) for part in ascending),
        unique=len(plain) == len(parts) and parts[0][1] == "0",
        whole=len(ascending) == len(parts),
        hashed=parts[0][4] == "HASH",
        declared_unique=parts[0][1] == "0",
    )
