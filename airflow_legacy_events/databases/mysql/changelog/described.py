"""Shapes of tables as a table map describes them, and how its images are read by a shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.databases.mysql.changelog import declared as types
from airflow_legacy_events.databases.mysql.changelog.collations import Collations
from airflow_legacy_events.databases.mysql.changelog.columns import ROW_END
from airflow_legacy_events.databases.mysql.changelog.model import LoggedColumn, TableMap
from airflow_legacy_events.databases.mysql.changelog.shape import ShapeColumn, TableShape

_HASH = re.compile(r"DB_ROW_HASH_[0-9]+", re.ASCII)
_LONGLONG, _TIMESTAMP = 8, (7, 17)
_ROW_START = "row_start"
_LABELED = (247, 248)
_NAMED_BY_BYTES = frozenset({"json"})


def matches(shape: TableShape, map_: TableMap, collations: Collations) -> bool:
    """Return whether a table map may be of a table of this shape: its names and types fit, as far as it has them."""
    columns = shape.columns
    if len(columns) + shape.hidden != len(map_.types):
        return False
    if map_.names is not None and shape.names != map_.names[: len(columns)]:
        return False
    return all(_fits(one, map_, at, collations) for at, one in enumerate(columns))


def _fits(column: ShapeColumn, map_: TableMap, at: int, collations: Collations) -> bool:
    if not types.fits(column.declared, column.octets, map_, at):
        return False
    labels = None if map_.labels is None else map_.labels[at]
    number = None if map_.collations is None else map_.collations[at]
    if number is None or column.character_set is None:
        return True
    found = collations.character_set(number)
    if found is not None and found != column.character_set:
        return False
    if labels is None:
        return True
    return types.parse(column.declared).labels == collations.labels(labels, found)


def describe(map_: TableMap, known: Mapping[str, ShapeColumn], collations: Collations) -> TableShape:
    """Return the shape that a table map with names describes; its columns have no numbers.

    Args:
        map_: the table map.
        known: columns of the table by name, which say what the log does not: display widths, JSON of MariaDB.
        collations: of the server.
    """
    names = map_.names or ()
    count = len(names)
    while count and _HASH.fullmatch(names[count - 1]) and names[count - 1] not in known:
        count -= 1
    row_end = None
    if names[count - 2 : count] == (_ROW_START, ROW_END) and not {_ROW_START, ROW_END} & set(known):
        count, row_end = count - 2, ROW_END
    found = tuple(_column(map_, at, names[at], known.get(names[at]), collations) for at in range(count))
    return TableShape(found, hidden=len(names) - count, row_end=row_end)


def _column(map_: TableMap, at: int, name: str, known: ShapeColumn | None, collations: Collations) -> ShapeColumn:
    if known is not None and _fits(known, map_, at, collations):
        return known._replace(number=None)
    number = None if map_.collations is None else map_.collations[at]
    character_set = collations.character_set(number)
    labels = None if map_.labels is None else map_.labels[at]
    texts = () if labels is None else collations.labels(labels, character_set)
    declared = types.from_log(map_, at, character_set, collations.width(character_set), texts)
    octets = map_.metadata[at] if types.parse(declared).base in ("char", "varchar", "binary", "varbinary") else None
    return ShapeColumn(name, None, declared, character_set, octets)


def logged(shape: TableShape, map_: TableMap) -> tuple[list[LoggedColumn], list[int]]:
    """Return how the columns of a table map are read, and the places of those that are carried in the shape.

    Those that images of rows may lack are not. Behind the columns of the shape, only the one that ends a version is
    read of the hidden ones.
    """
    found, places = [], []
    for at, one in enumerate(shape.columns):
        column = _carried(one, nullable=map_.nullable[at])
        if column is not None:
            places.append(at)
        found.append(_logged(one, column, map_, at))
    for at in range(len(shape.columns), len(map_.types)):
        is_end = shape.row_end == ROW_END and ROW_END not in shape.names and at == len(shape.columns) + 1
        column = Column(ROW_END, Kind.INSTANT, "timestamp", nullable=False) if is_end else None
        found.append(LoggedColumn(column, map_.types[at], map_.metadata[at], unsigned=map_.types[at] == _LONGLONG))
    return found, places


def _carried(column: ShapeColumn, *, nullable: bool) -> Column | None:
    type_ = types.carried(column.declared)
    return None if type_.kind is None or column.left_out else Column(column.name, type_.kind, type_.name, nullable)


def _logged(one: ShapeColumn, column: Column | None, map_: TableMap, at: int) -> LoggedColumn:
    parts = types.parse(one.declared)
    return LoggedColumn(
        column,
        map_.types[at],
        map_.metadata[at],
        unsigned=parts.unsigned or parts.zerofill,
        character_set=one.character_set,
        labels=parts.labels,
        declared=one.declared,
    )


def by_name(columns: Iterable[ShapeColumn]) -> dict[str, ShapeColumn]:
    """Return columns by name."""
    return {one.name: one for one in columns}


def names_of(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of columns."""
    return tuple(one.name for one in columns)
