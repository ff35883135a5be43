"""Truncates that the producer sends to every partition: applied when all partitions of their topic stand at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.arguments import Truncates
from airflow_legacy_events.sources.topic.picking import joined, picked

REMEMBERED = 64
"""Event ids of truncates that were applied, and are passed where they are repeated."""


class Stand(NamedTuple):
    """A partition that waits at a truncate.

    Attributes:
        offset: of the truncate.
        id: of its event; None if it has none.
        message: the truncate.
    """

    offset: int
    id: str | None
    message: Received


class Released(NamedTuple):
    """Partitions that stand no longer.

    Attributes:
        partitions: they continue behind their truncates.
        messages: the truncates; None for those of an id that the other partitions will never have.
    """

    partitions: Collection[Partition]
    messages: Received | None


@dataclass
class Truncating:
    """Holds partitions at truncates.

    Attributes:
        find: finds truncates.
        applied: event ids of the last truncates, the latest last.
        stands: where partitions wait.
        repeated: partitions in which a truncate that was applied already came once more.
    """

    find: Truncates
    applied: list[str] = field(default_factory=list)
    stands: dict[Partition, Stand] = field(default_factory=dict)
    repeated: set[Partition] = field(default_factory=set)

    def cut(self, received: Received) -> tuple[Received, dict[Partition, Stand]]:
        """Return the messages up to the first truncate of each partition, and where partitions stand from now on.

        A truncate that was applied already is left out.
        """
        found = self.find(received)
        if not found:
            return received, {}
        passed = set[int]()
        stands: dict[Partition, Stand] = {}
        for place, id_ in found:
            one = Partition(received.topics[place], received.partitions[place])
            if one in stands:
                continue
            if id_ is not None and id_ in self.applied:
                passed.add(place)
                self.repeated.add(one)
            else:
                stands[one] = Stand(received.offsets[place], id_, picked(received, [place]))
        self.stands |= stands
        return picked(received, [at for at in _below(received, stands) if at not in passed]), stands

    def ready(self, topics: Mapping[str, Collection[Partition]]) -> bool:
        """Whether `release` yields something."""
        return bool(self.stands) and any(map(self._all_stand, topics.values()))

    def release(self, topics: Mapping[str, Collection[Partition]]) -> Iterator[Released]:
        """Yield the partitions of each topic whose partitions all stand.

        Args:
            topics: partitions that are read now, by topic.
        """
        for partitions in topics.values():
            if not self._all_stand(partitions):
                continue
            ids = {self.stands[one].id for one in partitions}
            if len(ids) == 1:
                yield self._applied(sorted(partitions))
            else:
                yield self._missed(partitions)

    def _all_stand(self, partitions: Collection[Partition]) -> bool:
        return bool(partitions) and all(one in self.stands for one in partitions)

    def _applied(self, partitions: Collection[Partition]) -> Released:
        stands = [self.stands.pop(one) for one in partitions]
        if (id_ := stands[0].id) is not None:
            self.applied = [*self.applied, id_][-REMEMBERED:]
        return Released(partitions, joined(one.message for one in stands))

    def _missed(self, partitions: Collection[Partition]) -> Released:
        """Let the partitions at the earliest truncate continue: others passed it, and all will meet a later one."""
        moments = {one: self.stands[one].message.timestamps[0] or 0 for one in partitions}
        earliest = self.stands[min(partitions, key=lambda one: (moments[one], one))].id
        left = [one for one in partitions if self.stands[one].id == earliest]
        for one in left:
            del self.stands[one]
        return Released(left, None)


def _below(received: Received, stands: Mapping[Partition, Stand]) -> Iterator[int]:
    """Yield the places of messages that lie below the truncates of their partitions."""
    limits = {one: stand.offset for one, stand in stands.items()}
    for at, (topic, number, offset) in enumerate(
        zip(received.topics, received.partitions, received.offsets, strict=True)
    ):
        limit = limits.get(Partition(topic, number))
        if limit is None or offset < limit:
            yield at
