"""A target in memory: tables of rows by key, transactions, savepoints, unique columns, and COMMITs that fail."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.core.ports.target import (
    Counts,
    NewColumn,
    ObjectionError,
    OutcomeUnknownError,
    TransactionLostError,
    Wanted,
)

DEFAULT = "default"


def shape(*names: str, key: tuple[int, ...] = (0,), table: str = "t") -> TargetShape:
    return TargetShape(table, tuple(TargetColumn(name, Kind.TEXT, "text") for name in names), key)


def _columns(columns: Sequence[NewColumn]) -> tuple[TargetColumn, ...]:
    return tuple(
        TargetColumn(
            one.name,
            one.kind,
            one.type or one.kind.value,
            one.nullable,
            precision=one.precision,
            scale=one.scale,
            length=one.length,
        )
        for one in columns
    )


@dataclass
class FakeTarget:
    """Keeps what was committed.

    Attributes:
        unique: positions of columns whose values must differ among the rows of a table.
        refuses: whether a row is refused by a constraint.
        end: called at each COMMIT; returns how it ends: None well, `lost`, `unknown` (took place), `cut` (did not).
        shapes: of the tables that there are, for `reflect`; what `make` and `add` do is added.
        looks: number of `reflect`.
    """

    unique: tuple[int, ...] = ()
    refuses: Callable[[tuple[Any, ...]], bool] = lambda _: False
    end: Callable[[], str | None] = lambda: None
    fold: Callable[[Any], Any] = lambda one: one
    tables: dict[str, dict[Any, tuple[Any, ...]]] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, TargetShape] = field(default_factory=dict)
    looks: int = 0

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        self.looks += 1
        found = self.shapes.get(table)
        if found is None:
            return None
        at = {one.name: position for position, one in enumerate(found.columns)}
        key = () if wanted.append else tuple(at[one] for one in wanted.key) or found.key
        return dataclasses.replace(
            found,
            key=key,
            version=at.get(str(wanted.version)),
            deleted=at.get(str(wanted.deleted)),
            repeats=(at[wanted.event_id],) if wanted.append and wanted.event_id in at else (),
        )

    def make(self, table: str, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        names = [one.name for one in columns]
        self.shapes.setdefault(table, TargetShape(table, _columns(columns), tuple(names.index(one) for one in key)))

    def add(self, table: str, columns: Sequence[NewColumn]) -> None:
        found = self.shapes[table]
        there = {one.name for one in found.columns}
        new = _columns([one for one in columns if one.name not in there])
        self.shapes[table] = dataclasses.replace(found, columns=(*found.columns, *new))

    def added(self, table: str, columns: Sequence[NewColumn]) -> str:
        return f"ALTER TABLE {table} " + ", ".join(f"ADD {one.name} {one.type or one.kind}" for one in columns)

    def identity_of(self, shape: TargetShape, key: Any) -> Any:
        return shape.table, tuple(map(self.fold, key))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        unit = FakeUnit(self, copy.deepcopy(self.tables), dict(self.marks))
        yield unit
        if unit.over:
            return
        ends = self.end()
        if ends in (None, "unknown"):
            self.tables, self.marks = unit.tables, unit.marks
        if ends == "lost":
            raise TransactionLostError("deadlock")
        if ends in ("unknown", "cut"):
            raise OutcomeUnknownError("cut")

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class FakeUnit:
    """See `Unit`."""

    target: FakeTarget
    tables: dict[str, dict[Any, tuple[Any, ...]]]
    marks: dict[str, Any]
    over: bool = False

    def apply(self, states: Any) -> Counts:
        table = self.tables.setdefault(states.shape.table, {})
        if not states.shape.key:
            for one in states.rows:
                table[len(table)] = self._filled(states.shape, one, None)
            return Counts(len(states.rows))
        if states.truncated:
            table.clear()
        upserted = deleted = 0
        for one in states.rows:
            key = self.target.identity_of(states.shape, tuple(one.row[at] for at in states.shape.key))
            former = None if one.former is None else self.target.identity_of(states.shape, one.former)
            before = table.pop(key, None) if former is None else table.pop(former, None)
            if one.deleted:
                deleted += 1
                continue
            table[key] = self._filled(states.shape, one, None if one.whole else before)
            upserted += 1
        for at in self.target.unique:
            values = [row[at] for row in table.values() if row[at] is not None]
            if len(values) > len(set(values)):
                raise ObjectionError("23505", "a value is there already")
        return Counts(upserted, deleted)

    def _filled(self, shape: TargetShape, one: Any, before: tuple[Any, ...] | None) -> tuple[Any, ...]:
        kept = (DEFAULT,) * len(shape.columns) if before is None else before
        row = tuple(old if new is ABSENT else new for old, new in zip(kept, one.row, strict=True))
        if self.target.refuses(row):
            raise ObjectionError("23514", "a check constraint")
        return row

    def settle(self) -> None:
        """Nothing is deferred."""

    def roll_back(self) -> None:
        self.over = True

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        kept = copy.deepcopy(self.tables)
        try:
            yield
        except BaseException:
            self.tables = kept
            raise


class FakePositions:
    """Watermarks in the target itself."""

    def __init__(self, target: FakeTarget) -> None:
        self.target = target

    def load(self, stream: str) -> Any:
        return self.target.marks.get(stream)

    def save(self, unit: FakeUnit, stream: str, new: Any, *, expected: Any) -> None:
        if unit.marks.get(stream) != expected:
            raise WatermarkError("moved")
        unit.marks[stream] = new

    def forget(self, stream: str) -> None:
        self.target.marks.pop(stream, None)
