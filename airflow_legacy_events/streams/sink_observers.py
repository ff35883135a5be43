"""Observers of a sink's positions."""

from __future__ import annotations

from airflow_legacy_events.core.model import Delivered, Watermark
from airflow_legacy_events.core.names import digest
from airflow_legacy_events.core.ports import Reader
from airflow_legacy_events.core.sink.facts import MET
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.sources.topic.positions import places_of

GROUP = "legacy-events."
"""Consumer groups that hold positions for people's pages of lag begin with it; they are never read."""

_HASH = 16


def group_of(stream: str) -> str:
    """Return the consumer group of a stream."""
    return GROUP + digest(stream, _HASH)


class GroupOffsets:
    """Notes each position that is durable as offsets of a consumer group, best effort.

    Args:
        reader: of the topics.
        stream: its name.
    """

    def __init__(self, reader: Reader, stream: str) -> None:
        self._reader, self._stream = reader, stream

    def loaded(self, at: Watermark | None) -> None:
        """See `core.ports.Observer.loaded`."""

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """See `core.ports.Observer.saving`."""

    def saved(self, new: Watermark) -> None:
        """See `core.ports.Observer.saved`."""
        places = places_of(self._stream, new.values or ())
        at = {one: place.at for one, place in places.items() if place.at is not None}
        if at:
            self._reader.noted(group_of(self._stream), at)


class Resumed:
    """Lets the decoding step continue from what earlier messages added to the watermark."""

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding

    def loaded(self, at: Watermark | None) -> None:
        """See `core.ports.Observer.loaded`."""
        if at is not None:
            self._decoding.resume(at.facts.get(MET) or {})

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """See `core.ports.Observer.saving`."""

    def saved(self, new: Watermark) -> None:
        """See `core.ports.Observer.saved`."""
