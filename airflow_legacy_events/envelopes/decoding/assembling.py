"""Assembling: the meanings of messages become changes of a table's rows, in the texts of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import (
    DELETE,
    TRUNCATE,
    UPSERT,
    Poison,
    Received,
    TableChanges,
    TargetShape,
)
from airflow_legacy_events.core.model.meaning import Meaning, Wire
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.values import Converter, Options, UnfitError, converter
from airflow_legacy_events.envelopes.decoding.metadata import Fact, fact
from airflow_legacy_events.envelopes.decoding.schemaless import Reading, Types, reading

_READ_AS_TEXT = frozenset({Kind.DECIMAL, Kind.MONEY, Kind.TEXT})
"""Kinds of columns whose texts may stand for something else."""

Key: TypeAlias = tuple[Any, ...]


class _Change(NamedTuple):
    """A change as it was found; see `TableChanges`."""

    place: int
    op: str
    row: tuple[Any, ...]
    moved: Key | None = None
    partial: tuple[str, ...] = ()


class _Leaving(NamedTuple):
    """A delete whose row has another key from now on.

    Attributes:
        at: of the change among those found.
        key: of the row from now on.
        places: of the delete, and of the tombstone behind it.
    """

    at: int
    key: Key
    places: list[int]


@dataclass
class TableAssembler:
    """Collects the changes of one table.

    Attributes:
        shape: of the table.
        names: field of each column that is taken from messages, by the column's position.
        decoder: of the messages' envelope.
        options: about values.
        metadata: what other columns hold of a message, by position.
        ignored: fields that are left out.
        ignores_all: whether all others without a column are left out too, but for those of `near`.
        near: names of columns in lower case, which fields may mean in another case.
        types: of values that lack theirs.
        appends: whether each message becomes a row, also a delete.
        unknown: a value of each field that the table has no column for, since the last `take`.
        skipped: number of messages without a meaning for the table, since the last `take`.
        key_names: fields of the key.
    """

    shape: TargetShape
    names: Mapping[int, str]
    decoder: Decoder
    options: Options
    metadata: Mapping[int, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    ignores_all: bool = False
    near: frozenset[str] = frozenset()
    types: Types = field(default_factory=Types)
    appends: bool = False
    unknown: dict[str, Wire | None] = field(default_factory=dict)
    skipped: int = 0

    def __post_init__(self) -> None:
        columns, key = self.shape.columns, self.shape.key
        self._positions = {name: at for at, name in self.names.items()}
        self._converters: list[Converter] = [converter(one, self.options) for one in columns]
        lenient = bool(getattr(self.decoder, "schemaless", False))
        read = getattr(self.decoder, "reading", reading)
        self._bare: list[Reading | None] = [read(one, self.types) for one in columns]
        self._typed: list[Reading | None] = [
            found if lenient and self.types.concern(one) else None
            for one, found in zip(columns, self._bare, strict=True)
        ]
        self._facts: dict[int, Fact] = {at: fact(name, columns[at].kind) for at, name in self.metadata.items()}
        self._empty: tuple[Any, ...] = (ABSENT,) * len(columns)
        self.key_names = [self.names.get(at, columns[at].name) for at in key]
        version = () if self.shape.version is None else (self.shape.version,)
        self._of_deleted = frozenset({*key, *version})
        self._start()

    def add(self, meaning: Meaning, received: Received, at: int) -> None:
        """Add what the message at a place means.

        Raises:
            NotUnderstoodError: it has no key, or a value that its column can't hold.
        """
        if meaning.op == TRUNCATE:
            self._start_over()
            self._changes.append(_Change(at, TRUNCATE, self._empty))
            return
        row = self._row(meaning, received, at)
        key = tuple(row[one] for one in self.shape.key)
        if meaning.op == UPSERT or self.appends:
            self._upsert(meaning, at, row, key)
        elif self._deleted.get(key) is not None and received.values[at] is None:
            self.skipped += 1
            if key in self._leaving:
                self._leaving[key].places.append(at)
        else:
            self._delete(meaning, at, row, key)

    def put(self, row: tuple[Any, ...], at: int) -> None:
        """Add an upsert that is decoded already."""
        self._forget(tuple(row[one] for one in self.shape.key))
        self._changes.append(_Change(at, UPSERT, row))

    def widened(self, rows: Sequence[tuple[Any, ...]], shape: TargetShape) -> list[tuple[Any, ...]]:
        """Return rows of the table as it was before columns were added, with these absent."""
        before = {one.name: at for at, one in enumerate(shape.columns)}
        positions = [before.get(one.name) for one in self.shape.columns]
        return [tuple(ABSENT if at is None else row[at] for at in positions) for row in rows]

    def ignores(self, name: str) -> bool:
        """Whether a field that no column is taken from is left out."""
        return name in self.ignored or (self.ignores_all and name.lower() not in self.near)

    def plainly(self, position: int, *, typed: bool) -> bool:
        """Whether a column's texts are what they seem."""
        column = self.shape.columns[position]
        if (self._typed if typed else self._bare)[position] is None or column.kind not in _READ_AS_TEXT:
            return True
        scales = self.types.decimal_scales or {}
        return column.name in scales and scales[column.name] is None

    def converting(self, position: int, *, typed: bool) -> Converter:
        """Return what makes the text of a column's value; it raises UnfitError."""
        convert, read = self._converters[position], (self._typed if typed else self._bare)[position]
        return convert if read is None else lambda found: convert(read(found))

    def metadatum(self, position: int, received: Received, at: int, meaning: Meaning) -> str | None:
        """Return the text of a column of metadata.

        Raises:
            NotUnderstoodError: the column can't hold it.
        """
        return self._text(position, self._facts[position](received, at, meaning), self._typed)

    def take(self) -> TableChanges:
        """Return what was collected, and begin again."""
        found, rows = TableChanges(self.shape), list[tuple[Any, ...]]()
        for change in self._changes:
            if change is None:
                continue
            if change.moved is not None:
                found.moved[len(found.ops)] = change.moved
            if change.partial:
                found.partial[len(found.ops)] = change.partial
            found.ops.append(change.op)
            rows.append(change.row)
            found.places.append(change.place)
        found.rows = rows
        self._start()
        return found

    def _start(self) -> None:
        self._changes: list[_Change | None] = []
        self._start_over()
        self.unknown, self.skipped = {}, 0

    def _start_over(self) -> None:
        self._deleted: dict[Key, int] = {}
        self._leaving: dict[Key, _Leaving] = {}

    def _row(self, meaning: Meaning, received: Received, at: int) -> list[Any]:
        row = list(self._empty)
        only = self._of_deleted if meaning.op == DELETE and not self.appends else None
        readings = self._typed if meaning.typed else self._bare
        for position, find in self._facts.items():
            if only is None or position in only:
                row[position] = self._text(position, find(received, at, meaning), self._typed)
        for name, value in meaning.fields.items():
            position = self._positions.get(name, -1)
            if position >= 0:
                if only is None or position in only:
                    row[position] = self._text(position, value, readings)
            elif only is None and not self.ignores(name):
                self.unknown.setdefault(name, value)
        self._find_key(row, received.keys[at], readings)
        return row

    def _upsert(self, meaning: Meaning, at: int, row: list[Any], key: Key) -> None:
        moved = None
        if meaning.old and not self.appends:
            moved = self._former(row, meaning)
            if moved is not None and (left := self._leaving.get(moved)) is not None:
                if left.key == key:
                    self._changes[left.at] = None
                    self.skipped += 1
                else:
                    moved = None
            elif meaning.second:
                moved = None
        self._forget(key)
        self._changes.append(_Change(at, UPSERT, tuple(row), moved, self._partial(meaning, row)))

    def _delete(self, meaning: Meaning, at: int, row: list[Any], key: Key) -> None:
        self._forget(key)
        self._deleted[key] = at
        if meaning.new:
            readings = self._typed if meaning.typed else self._bare
            new = tuple(
                self._text(one, meaning.new[name], readings) if name in meaning.new else row[one]
                for one, name in zip(self.shape.key, self.key_names, strict=True)
            )
            self._leaving[key] = _Leaving(len(self._changes), new, [at])
        self._changes.append(_Change(at, DELETE, tuple(row)))

    def _forget(self, key: Key) -> None:
        self._deleted.pop(key, None)
        self._leaving.pop(key, None)

    def _partial(self, meaning: Meaning, row: Sequence[Any]) -> tuple[str, ...]:
        positions = (self._positions.get(name, -1) for name in meaning.unchanged)
        return tuple(self.shape.columns[at].name for at in positions if at >= 0 and row[at] is ABSENT)

    def _text(self, position: int, value: Wire | None, readings: Sequence[Reading | None]) -> str | None:
        if value is None:
            return None
        try:
            read = readings[position]
            return self._converters[position](value if read is None else read(value))
        except UnfitError as error:
            column = self.shape.columns[position]
            raise NotUnderstoodError(
                "VALUE", f"column {column.name!r} ({column.type}) can't hold the value exactly: {error}"
            ) from None

    def _find_key(self, row: list[Any], key: bytes | None, readings: Sequence[Reading | None]) -> None:
        """Take the key columns that the row lacks from the message's key."""
        missing = [at for at in self.shape.key if row[at] is ABSENT]
        if missing:
            found = {} if key is None else self.decoder.key(key, self.key_names)
            for at, name in zip(self.shape.key, self.key_names, strict=True):
                if at in missing and name in found:
                    row[at] = self._text(at, found[name], readings)
        if any(row[at] is ABSENT or row[at] is None for at in self.shape.key):
            names = ", ".join(self.shape.named(self.shape.key))
            raise NotUnderstoodError("NO_KEY", f"neither the row nor the message's key has {names}")

    def _former(self, row: Sequence[Any], meaning: Meaning) -> Key | None:
        """Return the key that the row had before, None if it is the same."""
        old, readings = meaning.old or {}, self._typed if meaning.typed else self._bare
        names = zip(self.shape.key, self.key_names, strict=True)
        former = tuple(self._text(at, old[name], readings) if name in old else row[at] for at, name in names)
        return None if former == tuple(row[at] for at in self.shape.key) else former


def poison_of(error: NotUnderstoodError | RecursionError, at: int) -> Poison:
    """Return a message that can't be applied, for an error of its decoder or assembler."""
    if isinstance(error, RecursionError):
        return Poison(at, "NOT_JSON", "it is nested too deeply")
    return Poison(at, error.error, str(error))
