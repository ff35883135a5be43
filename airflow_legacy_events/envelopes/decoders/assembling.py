"""Assembling: the meanings of messages become changes of a table's rows, in the texts of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import (
    DELETE,
    TRUNCATE,
    UPSERT,
    Poison,
    Received,
    TableChanges,
    TargetShape,
)
from airflow_legacy_events.core.model.meaning import Fields, Meaning, Wire
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.values import Converter, Options, UnfitError, converter


@dataclass
class TableAssembler:
    """Collects the changes of one table.

    Attributes:
        shape: of the table.
        names: field of each column that is taken from messages, by the column's position.
        decoder: of the messages' envelope.
        options: about values.
        unknown: a value of each field that the table has no column for, since the last `take`.
    """

    shape: TargetShape
    names: Mapping[int, str]
    decoder: Decoder
    options: Options
    unknown: dict[str, Wire | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._positions = {name: at for at, name in self.names.items()}
        self._converters: list[Converter] = [converter(one, self.options) for one in self.shape.columns]
        self._empty: tuple[Any, ...] = (ABSENT,) * len(self.shape.columns)
        self._key_names = [self.names.get(at, self.shape.columns[at].name) for at in self.shape.key]
        self._found = TableChanges(self.shape)

    def add(self, meaning: Meaning, received: Received, at: int) -> None:
        """Add what the message at a place means.

        Raises:
            NotUnderstoodError: it has no key, or a value that its column can't hold.
        """
        row = list(self._empty)
        if meaning.op != TRUNCATE:
            self._fill(row, meaning.fields, only_key=meaning.op == DELETE)
            self._find_key(row, received.keys[at])
        moved = self._former(row, meaning.old) if meaning.old and meaning.op == UPSERT else None
        found = self._found
        if moved is not None:
            found.moved[len(found.ops)] = moved
        if meaning.unchanged:
            found.partial[len(found.ops)] = tuple(meaning.unchanged)
        found.ops.append(meaning.op)
        found.rows.append(tuple(row))
        found.places.append(at)

    def take(self) -> TableChanges:
        """Return what was collected, and begin again."""
        found, self._found = self._found, TableChanges(self.shape)
        return found

    def _fill(self, row: list[Any], fields: Fields, *, only_key: bool) -> None:
        for name, value in fields.items():
            position = self._positions.get(name)
            if position is None:
                if not only_key:
                    self.unknown.setdefault(name, value)
            elif not only_key or position in self.shape.key:
                row[position] = self._text(position, value)

    def _text(self, position: int, value: Wire | None) -> str | None:
        if value is None:
            return None
        try:
            return self._converters[position](value)
        except UnfitError as error:
            column = self.shape.columns[position]
            raise NotUnderstoodError(
                "VALUE", f"column {column.name!r} ({column.type}) can't hold the value exactly: {error}"
            ) from None

    def _find_key(self, row: list[Any], key: bytes | None) -> None:
        """Take the key columns that the row lacks from the message's key."""
        missing = [at for at in self.shape.key if row[at] is ABSENT]
        if missing:
            found = {} if key is None else self.decoder.key(key, self._key_names)
            for at, name in zip(self.shape.key, self._key_names, strict=True):
                if at in missing and name in found:
                    row[at] = self._text(at, found[name])
        if any(row[at] is ABSENT or row[at] is None for at in self.shape.key):
            names = ", ".join(self.shape.named(self.shape.key))
            raise NotUnderstoodError("NO_KEY", f"neither the row nor the message's key has {names}")

    def _former(self, row: Sequence[Any], old: Fields) -> tuple[Any, ...] | None:
        """Return the key that the row had before, None if it is the same."""
        names = zip(self.shape.key, self._key_names, strict=True)
        former = tuple(self._text(at, old[name]) if name in old else row[at] for at, name in names)
        return None if former == tuple(row[at] for at in self.shape.key) else former


def poison_of(error: NotUnderstoodError, at: int) -> Poison:
    """Return a message that can't be applied, for an error of its decoder or assembler."""
    return Poison(at, error.error, str(error))
