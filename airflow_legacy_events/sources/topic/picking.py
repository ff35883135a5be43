"""Some of the messages that were received, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_legacy_events.core.model.changes import Received


def none_received() -> Received:
    """Return no messages."""
    return Received((), (), (), (), (), (), ())


def picked(received: Received, places: Sequence[int]) -> Received:
    """Return the messages at some places."""
    if len(places) == len(received):
        return received
    return Received(
        [received.topics[at] for at in places],
        [received.partitions[at] for at in places],
        [received.offsets[at] for at in places],
        [received.keys[at] for at in places],
        [received.values[at] for at in places],
        [received.headers[at] for at in places],
        [received.timestamps[at] for at in places],
    )


def joined(some: Iterable[Received]) -> Received:
    """Return messages of several takes together."""
    all_ = Received([], [], [], [], [], [], [])
    for one in some:
        for name in Received.__slots__:
            getattr(all_, name).extend(getattr(one, name))
    return all_
