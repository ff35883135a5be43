"""Members of many objects: the columns of a layout, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.packed import at_places
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoding.fast.layout import Layout, Text
from airflow_legacy_events.envelopes.decoding.fast.plain import strings

REPEATED = "mode"
"""Header of messages that are sent again; see `Payload.repeated`."""


class Members:
    """Objects that fit a layout.

    Attributes:
        positions: of the objects among those that were given.
    """

    def __init__(
        self, positions: Sequence[int], columns: Mapping[str, Sequence[Any]], plain: frozenset[str] = frozenset()
    ) -> None:
        self.positions, self._columns, self._plain = positions, columns, plain

    @classmethod
    def of(cls, layout: Layout, texts: Sequence[Text]) -> Members:
        """Return those of some JSON objects that fit a layout."""
        found = layout.columns(texts)
        columns = dict(zip(layout.names, found.columns, strict=False))
        return cls(found.positions, columns, frozenset(layout.names[at] for at in found.plain))

    def __getitem__(self, name: str) -> Sequence[Any]:
        """Return the values of a member as they were written, or its plain texts; `msgspec.UNSET` is absent."""
        return self._columns.get(name, ())

    def picked(self, kept: Sequence[int]) -> Members:
        """Return some of the objects."""
        if len(kept) == len(self.positions):
            return self
        columns = {name: at_places(one, kept) for name, one in self._columns.items()}
        return Members(at_places(self.positions, kept), columns, self._plain)

    def where(self, name: str, known: Callable[[bytes | None], bool]) -> Members:
        """Return the objects whose member is a known one; None is absent."""
        written = self.written(name)
        answers = {one: known(one) for one in set(written)}
        return self if all(answers.values()) else self.picked([at for at, one in enumerate(written) if answers[one]])

    def written(self, name: str) -> Sequence[bytes | None]:
        """Return the values of a member as they were written; None is absent."""
        column = self[name]
        if column.count(msgspec.UNSET) == len(column):
            return [None] * len(column)
        return [None if one is msgspec.UNSET else bytes(one) for one in column]

    def texts(self, name: str) -> Sequence[str | None]:
        """Return the texts of a member, None where it is absent or something else."""
        column = self[name]
        if name in self._plain:
            return [None if one is msgspec.UNSET else one for one in column]
        if msgspec.UNSET not in column and (found := strings(column)) is not None:
            return found
        return [None if one is msgspec.UNSET else objects.text_of({name: one}, name) for one in column]


def usual(received: Received, places: Sequence[int], special: frozenset[str]) -> Sequence[int]:
    """Return the places of messages that have a value, and no header of a special name."""
    values, headers = received.values, received.headers
    unlike = {id(one): one for one in at_places(headers, places)}  # equal ones are mostly the same
    if not special.isdisjoint([name for one in unlike.values() for name, _ in one]):
        return [at for at in places if values[at] is not None and not _has(headers[at], special)]
    return places if None not in at_places(values, places) else [at for at in places if values[at] is not None]


def values_at(received: Received, places: Sequence[int]) -> Sequence[bytes]:
    """Return the values of messages that have one."""
    found: Sequence[Any] = at_places(received.values, places)
    return found


def is_there(value: Any) -> bool:
    """Whether a member has a value."""
    return value is not msgspec.UNSET


def _has(headers: Sequence[tuple[str, bytes | None]], names: frozenset[str]) -> bool:
    return bool(headers) and not names.isdisjoint([name for name, _ in headers])
