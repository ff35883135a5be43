"""Rows of a batch as SQL: their literals column by column, in groups that one statement writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import ObjectionError, RowState
from airflow_legacy_events.databases.mysql.grants import quoted
from airflow_legacy_events.databases.mysql.target.literals import Many, Quote, literals, refuse_null
from airflow_legacy_events.databases.mysql.target.table import MysqlTable

DEFAULT = b"DEFAULT"


class Group(NamedTuple):
    """Rows that have the same columns.

    Attributes:
        positions: of the columns.
        rows: in the order of the batch.
    """

    positions: tuple[int, ...]
    rows: list[RowState]


class Literals:
    """Turns rows of a table into SQL.

    Args:
        shape: of the table.
        quote: the driver's function for strings.
    """

    def __init__(self, shape: TargetShape, quote: Quote) -> None:
        self.shape, self.facts = shape, _facts(shape)
        pairs = list(zip(shape.columns, self.facts.columns, strict=True))
        self._many: list[Many] = [literals(column, of, quote) for column, of in pairs]
        self._refuses_null = frozenset(at for at, one in enumerate(pairs) if refuse_null(*one))
        self.names = [quoted(one.name).encode() for one in shape.columns]
        self._written = frozenset(at for at, one in enumerate(shape.columns) if one.written)
        self._defaulted = tuple(at for at in sorted(self._written) if not shape.columns[at].numbered)
        self._live = _live(shape)

    def groups(self, rows: Iterable[RowState]) -> Iterator[Group]:
        """Yield rows by the columns that are written, those of a row that was deleted before with their defaults."""
        found: dict[tuple[int, ...], list[RowState]] = {}
        full = tuple(sorted(self._written))
        for one in rows:
            row = one.row
            if ABSENT not in row:
                found.setdefault(full, []).append(one)
                continue
            given = {at for at in full if row[at] is not ABSENT}
            if one.whole:
                given.update(self._defaulted)
            if self.shape.deleted is not None:
                given.add(self.shape.deleted)
            found.setdefault(tuple(sorted(given)), []).append(one)
        for positions, group in found.items():
            yield Group(positions, group)

    def columns(self, group: Group, positions: Sequence[int]) -> list[list[bytes]]:
        """Return the literals of some columns of a group's rows, column by column.

        Raises:
            ObjectionError: a column can't hold a value as it is.
        """
        return [self._column(at, group.rows) for at in positions]

    def values(self, group: Group, positions: Sequence[int]) -> list[bytes]:
        """Return `(…)` of each row, likewise."""
        if not positions:
            return [b"()"] * len(group.rows)
        return [b"(" + b",".join(one) + b")" for one in zip(*self.columns(group, positions), strict=True)]

    def keys(self, keys: Sequence[Sequence[Any]]) -> list[tuple[bytes, ...]]:
        """Return the literals of keys, or of event ids where rows are appended."""
        by = self.shape.key or self.shape.repeats
        return list(zip(*(self._many[at]([key[n] for key in keys]) for n, at in enumerate(by)), strict=True))

    def one(self, at: int, value: str | None) -> bytes:
        """Return the literal of one value."""
        return self._many[at]([value])[0]

    def _column(self, at: int, rows: Sequence[RowState]) -> list[bytes]:
        if at == self.shape.deleted:
            return [self._live] * len(rows)
        values = [one.row[at] for one in rows]
        if at in self._refuses_null and None in values:
            column = self.shape.columns[at]
            raise ObjectionError(
                "1048", f"column {column.name!r} ({column.type}) is NOT NULL, and the server would write another value"
            )
        if ABSENT not in values:
            return self._many[at](values)
        found = self._many[at]([None if value is ABSENT else value for value in values])
        return [DEFAULT if value is ABSENT else one for value, one in zip(values, found, strict=True)]


def key_of(shape: TargetShape, row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the key of a row, or its event id where rows are appended."""
    return tuple(row[at] for at in shape.key or shape.repeats)


def mark(shape: TargetShape) -> bytes:
    """Return the SQL that marks a row as deleted: true, or the time in UTC."""
    assert shape.deleted is not None, "a table without marks"  # noqa: S101
    column = shape.columns[shape.deleted]
    if column.kind is Kind.DATE:
        return b"CURRENT_DATE"
    return b"CURRENT_TIMESTAMP(%d)" % (column.scale or 0) if _is_timed(shape) else b"1"


def _live(shape: TargetShape) -> bytes:
    """Return the SQL that marks a row as not deleted."""
    return b"NULL" if shape.deleted is not None and _is_timed(shape) else b"0"


def _is_timed(shape: TargetShape) -> bool:
    column = shape.columns[shape.deleted or 0]
    return column.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


def _facts(shape: TargetShape) -> MysqlTable:
    facts: MysqlTable = shape.facts
    return facts
