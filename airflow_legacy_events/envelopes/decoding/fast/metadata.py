"""Metadata of many messages, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import UPSERT, Received
from airflow_legacy_events.core.model.meaning import Meaning
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError

if TYPE_CHECKING:
    from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler
    from airflow_legacy_events.envelopes.decoding.fast.events import Events

_NUMBERS = {"partition": "partitions", "offset": "offsets"}
_SAFE = 2**31 - 1


def metadata_texts(
    assembler: TableAssembler, fitting: Sequence[int], events: Events, received: Received, unfit: set[int]
) -> dict[int, Sequence[Any]]:
    """Return the columns of metadata by their position.

    Args:
        assembler: of the table.
        fitting: positions of the events.
        events: that may fit.
        received: their messages.
        unfit: positions among `fitting` of those whose metadata does not fit are added.
    """
    places = [events.places[at] for at in fitting]
    return {
        at: _numbers(assembler, at, name, places, received)
        or _each(assembler, at, name, fitting, events, received, unfit)
        for at, name in assembler.metadata.items()
    }


def _numbers(
    assembler: TableAssembler, at: int, name: str, places: Sequence[int], received: Received
) -> Sequence[str] | None:
    """Return a column of partitions or offsets; None for anything else."""
    column = assembler.shape.columns[at]
    if name not in _NUMBERS or column.kind is not Kind.INTEGER or not places:
        return None
    numbers = getattr(received, _NUMBERS[name])
    found = [numbers[place] for place in places]
    return list(map(str, found)) if max(found) <= (_SAFE if column.high is None else column.high) else None


def _each(
    assembler: TableAssembler,
    at: int,
    name: str,
    fitting: Sequence[int],
    events: Events,
    received: Received,
    unfit: set[int],
) -> list[str | None]:
    ids = events.lazily("ids") if name == "event_id" else None
    times = events.lazily("times") if name == "event_time" else None
    found: list[str | None] = []
    for position, event in enumerate(fitting):
        meaning = Meaning(
            UPSERT,
            {},
            id=None if ids is None else ids[event],
            time=None if times is None else times[event],
            said=events.said[event],
        )
        try:
            found.append(assembler.metadatum(at, received, events.places[event], meaning))
        except NotUnderstoodError:
            found.append(None)
            unfit.add(position)
    return found
