"""Rows of one table, decoded column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.core.model.packed import PackedRows
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.values import UnfitError
from airflow_legacy_events.envelopes.decoders.wire import wire
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler
from airflow_legacy_events.envelopes.decoding.fast.events import Events
from airflow_legacy_events.envelopes.decoding.fast.kinds import TEXTUAL, Quick, quick
from airflow_legacy_events.envelopes.decoding.fast.layout import NONE, Layout, Text
from airflow_legacy_events.envelopes.decoding.fast.metadata import metadata_texts
from airflow_legacy_events.envelopes.decoding.fast.plain import PlainTexts

_PAIRS = (frozenset({"before", "after"}), frozenset({"schema", "payload"}))
_WRAPPING = frozenset.union(*_PAIRS)
"""Members that may hold a row instead of being one of it."""


class Rows(NamedTuple):
    """Rows that were decoded, all of them upserts.

    Attributes:
        events: positions of their events, in order.
        rows: as `TableChanges` has them; packed if all of them can be.
        complete: whether it is known that they name every column that may be written.
    """

    events: Sequence[int]
    rows: Sequence[tuple[Any, ...]]
    complete: bool = False


class TableRows:
    """Decodes rows of one table.

    Args:
        assembler: of the table; it converts what is not written in the usual way.

    Attributes:
        packs: whether rows are packed where the target does that.
    """

    def __init__(self, assembler: TableAssembler) -> None:
        self.assembler, self.packs = assembler, True
        self._fields = list(assembler.names.items())
        names, columns = [name for _, name in self._fields], assembler.shape.columns
        self._layout = Layout(
            names,
            lambda name: name not in _WRAPPING and not name.startswith("__") and assembler.ignores(name),
            [name for at, name in self._fields if columns[at].kind in TEXTUAL],
        )
        self._ambiguous = any(pair <= set(names) for pair in _PAIRS) or any(one.startswith("__") for one in names)
        self._quick = {at: quick(columns[at], assembler.options) for at, _ in self._fields}
        self._key = assembler.shape.key
        taken = {*assembler.names, *assembler.metadata, assembler.shape.deleted}
        self._covers = all(at in taken or not one.written for at, one in enumerate(columns))

    def decode(self, texts: Sequence[Text], events: Events, received: Received) -> Rows:
        """Return the rows among JSON objects that are written in the usual way.

        Args:
            texts: of the objects.
            events: they belong to, of as many messages.
            received: the messages.
        """
        found = NONE if self._ambiguous else self._layout.columns(texts)
        if not found.positions:
            return Rows((), ())
        fitting = found.positions
        columns: list[Sequence[Any]] = [[ABSENT] * len(fitting)] * len(self.assembler.shape.columns)
        unfit: set[int] = set()
        complete = self._covers
        for number, ((at, _), values) in enumerate(zip(self._fields, found.columns, strict=False)):
            column = PlainTexts(values) if number in found.plain else values
            if number in found.lacking:
                columns[at], complete = self._some(at, column, events.typed, unfit), False
            else:
                columns[at] = self._converted(at, column, events.typed, range(len(column)), unfit)
        for at, column in metadata_texts(self.assembler, fitting, events, received, unfit).items():
            columns[at] = column
        for at in self._key:
            unfit.update(_without_key(columns[at]))
        if events.changed is not None:
            names = set(self.assembler.key_names)
            unfit.update(at for at, one in enumerate(fitting) if not names.isdisjoint(events.changed[one]))
        if not unfit:
            packed = self._packed(columns) if complete else None
            return Rows(fitting, list(zip(*columns, strict=True)) if packed is None else packed, complete)
        rows = list(zip(*columns, strict=True))
        kept = [at for at in range(len(fitting)) if at not in unfit]
        return Rows([fitting[at] for at in kept], [rows[at] for at in kept], complete)

    def _packed(self, columns: Sequence[Sequence[Any]]) -> PackedRows | None:
        packing = self.assembler.shape.packing
        texts = None if packing is None or not self.packs else packing.pack(columns)
        if packing is None or texts is None:
            return None
        return PackedRows(packing, texts, {at: columns[at] for at in self._key})

    def _some(self, at: int, column: Sequence[Any], typed: bool, unfit: set[int]) -> Sequence[Any]:  # noqa: FBT001
        """Return the texts of a column that some rows lack; the positions of values that don't fit are added."""
        there = [position for position, one in enumerate(column) if one is not msgspec.UNSET]
        found: list[Any] = [ABSENT] * len(column)
        if there:
            some = [column[one] for one in there]
            texts = self._converted(
                at, PlainTexts(some) if isinstance(column, PlainTexts) else some, typed, there, unfit
            )
            for position, one in zip(there, texts, strict=True):
                found[position] = one
        return found

    def _converted(
        self,
        at: int,
        values: Sequence[Any],
        typed: bool,  # noqa: FBT001
        positions: Sequence[int],
        unfit: set[int],
    ) -> Sequence[str | None]:
        convert: Quick | None = self._quick[at]
        if convert is not None and self.assembler.plainly(at, typed=typed):
            found = convert(values)
            if found is not None:
                return found
        return _each(self.assembler.converting(at, typed=typed), values, positions, unfit)


def _without_key(column: Sequence[Any]) -> set[int]:
    if None not in column and ABSENT not in column:
        return set()
    return {at for at, one in enumerate(column) if one is None or one is ABSENT}


def _text(text: str | None) -> Wire | None:
    return None if text is None else Wire(Form.TEXT, text)


def _each(
    convert: Callable[[Any], str | None], values: Sequence[Any], positions: Sequence[int], unfit: set[int]
) -> list[str | None]:
    found: list[str | None] = []
    read = _text if isinstance(values, PlainTexts) else wire
    for one, position in zip(values, positions, strict=True):
        try:
            value = read(one)
            found.append(None if value is None else convert(value))
        except (UnfitError, NotUnderstoodError, msgspec.DecodeError, ValueError, RecursionError):
            found.append(None)
            unfit.add(position)
    return found
