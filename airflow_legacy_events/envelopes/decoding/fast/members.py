"""Members of many objects: the columns of a layout, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoding.fast.kinds import strings
from airflow_legacy_events.envelopes.decoding.fast.layout import Layout, Text

REPEATED = "mode"
"""Header of messages that are sent again; see `Payload.repeated`."""


class Members:
    """Objects that fit a layout.

    Attributes:
        positions: of the objects among those that were given.
    """

    def __init__(self, positions: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        self.positions, self._columns = positions, columns

    @classmethod
    def of(cls, layout: Layout, texts: Sequence[Text]) -> Members:
        """Return those of some JSON objects that fit a layout."""
        found = layout.columns(texts)
        return cls(found.positions, dict(zip(layout.names, found.columns, strict=False)))

    def __getitem__(self, name: str) -> Sequence[Any]:
        """Return the values of a member; `msgspec.UNSET` is absent."""
        return self._columns.get(name, ())

    def picked(self, kept: Sequence[int]) -> Members:
        """Return some of the objects."""
        if len(kept) == len(self.positions):
            return self
        columns = {name: [one[at] for at in kept] for name, one in self._columns.items()}
        return Members([self.positions[at] for at in kept], columns)

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
        if msgspec.UNSET not in column and (found := strings(column)) is not None:
            return found
        return [None if one is msgspec.UNSET else objects.text_of({name: one}, name) for one in column]


def usual(received: Received, places: Sequence[int], special: frozenset[str]) -> list[int]:
    """Return the places of messages that have a value, and no header of a special name."""
    values, headers = received.values, received.headers
    unlike = {id(one): one for one in map(headers.__getitem__, places)}  # equal ones are mostly the same
    if special.isdisjoint([name for one in unlike.values() for name, _ in one]):
        return [at for at in places if values[at] is not None]
    return [at for at in places if values[at] is not None and not _has(headers[at], special)]


def values_at(received: Received, places: Sequence[int]) -> list[bytes]:
    """Return the values of messages that have one."""
    return [received.values[at] or b"" for at in places]


def is_there(value: Any) -> bool:
    """Whether a member has a value."""
    return value is not msgspec.UNSET


def _has(headers: Sequence[tuple[str, bytes | None]], names: frozenset[str]) -> bool:
    return bool(headers) and not names.isdisjoint([name for name, _ in headers])
