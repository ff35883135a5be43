"""Partitions that came later: read behind the older ones, since a key may have moved from one to the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.ports.reader import ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.positions import name_of, places_of, values_of

LEARNED_MS = 600_000
"""Until then, producers may not know a partition yet: they look for new ones every 5 minutes by default."""


class Wait(NamedTuple):
    """Partitions that are read once older ones have reached some offsets.

    Attributes:
        partitions: that wait.
        until: offset that each older one has to reach.
        since: when they were found, in milliseconds since 1970-01-01 UTC.
    """

    partitions: frozenset[Partition]
    until: Mapping[Partition, int]
    since: int

    def over(self, at: Mapping[Partition, ReadPosition]) -> bool:
        """Whether the older partitions have reached their offsets; one that is not read any more doesn't count."""
        return all(at[one].offset >= offset for one, offset in self.until.items() if one in at)


def waits_of(stream: str, fact: Sequence[Mapping[str, Any]] | None) -> list[Wait]:
    """Return the waits that a watermark holds."""
    return [
        Wait(
            frozenset(places_of(stream, (f"{name}=0" for name in one["partitions"]))),
            {at: place.at.offset for at, place in places_of(stream, one["until"]).items() if place.at is not None},
            one["since"],
        )
        for one in fact or ()
    ]


def renewed(waits: Iterable[Wait], came: Collection[Partition], high: Mapping[Partition, int], now: int) -> list[Wait]:
    """Return the waits of a run.

    While producers may not know a partition yet, older ones get further messages of keys that have moved. So those of
    that time are waited for too, and then no more: a run whose `max_rows` are fewer than what comes gets there.

    Args:
        waits: that the watermark holds.
        came: partitions that were found now; those of a topic without older ones don't wait.
        high: offset behind the last record of each partition, open transactions included.
        now: milliseconds since 1970-01-01 UTC.
    """
    found = [
        one._replace(until={at: high.get(at, offset) for at, offset in one.until.items()})
        if 0 <= now - one.since < LEARNED_MS
        else one
        for one in waits
    ]
    for topic in sorted({one.topic for one in came}):
        older = {one: offset for one, offset in high.items() if one.topic == topic and one not in came}
        if older:
            found.append(Wait(frozenset(one for one in came if one.topic == topic), older, now))
    return found


def unread(
    at: Mapping[Partition, ReadPosition],
    ends: Mapping[Partition, int],
    waits: Iterable[Wait] = (),
    idle: Collection[Partition] = (),
) -> int:
    """Return how many offsets a run passes, without those that it can't get to."""
    reached = {one: ReadPosition(max(place.offset, ends[one])) for one, place in at.items()}
    left_out = {*idle, *(one for wait in waits if not wait.over(reached) for one in wait.partitions)}
    return sum(reached[one].offset - at[one].offset for one in at if one not in left_out)


def kept(waits: Iterable[Wait], at: Mapping[Partition, ReadPosition], now: int) -> list[dict[str, Any]]:
    """Return the waits that the next run has to know, as plain JSON."""
    return [
        {
            "partitions": [name_of(partition) for partition in sorted(one.partitions)],
            "until": list(values_of({partition: ReadPosition(offset) for partition, offset in one.until.items()})),
            "since": one.since,
        }
        for one in waits
        if now - one.since < LEARNED_MS or not one.over(at)
    ]
