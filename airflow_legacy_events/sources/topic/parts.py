"""Partitions that a run reads, and the topics that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.ports.reader import Extent, FoundTopic
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.facts import IDS, known_counts

Found = Mapping[str, FoundTopic]


def extents_of(found: Found, numbers: Sequence[int] | None) -> dict[Partition, Extent]:
    """Return what each partition holds that is read, in order.

    Args:
        found: the topics.
        numbers: of the partitions, in each topic; None: all.

    Raises:
        ConfigurationError: a topic has no partition of a number.
    """
    extents: dict[Partition, Extent] = {}
    for topic, one in sorted(found.items()):
        if missing := sorted(set(numbers or ()) - set(one.partitions)):
            raise ConfigurationError(
                f"partitions= names {', '.join(map(str, missing))}, which topic {topic!r} does not have; nothing was"
                f" read. It has {shown(one.partitions)}"
            )
        chosen = sorted(one.partitions if numbers is None else numbers)
        extents |= {Partition(topic, number): one.partitions[number] for number in chosen}
    return extents


def ids_of(found: Found) -> dict[str, str]:
    """Return the identity of each topic that has one."""
    return {topic: one.id for topic, one in sorted(found.items()) if one.id is not None}


def counts_of(found: Found) -> dict[str, int]:
    """Return how many partitions each topic has."""
    return {topic: len(one.partitions) for topic, one in sorted(found.items())}


def check_topics_remain(stream: str, facts: Mapping[str, Any], found: Found) -> None:
    """Check that the topics are those that the positions were read from.

    Raises:
        WatermarkError: one was deleted and recreated.
    """
    known, now = facts.get(IDS) or {}, ids_of(found)
    for topic, one in found.items():
        before, count = known.get(topic), known_counts(facts).get(topic, 0)
        if before is not None and now.get(topic) not in (None, before):
            what = f"its id was {before!r} and is {now[topic]!r}"
        elif IDS in facts and len(one.partitions) < count:
            what = f"it had {count} partitions and has {len(one.partitions)}"
        else:
            continue
        raise WatermarkError(
            f"topic {topic!r} was deleted and recreated: {what}, so the positions of stream {stream!r} are not on it;"
            f" nothing was read.\nTo apply the new topic from its beginning: {command('forget', stream)}"
            f"\nTo continue at offsets of your own: {command('set', stream, 'VALUE...', '--accept topic')}"
        )


def shown(numbers: Iterable[int]) -> str:
    """Return the numbers of partitions for a message."""
    listed = sorted(numbers)
    if len(listed) > 1 and listed == list(range(listed[0], listed[-1] + 1)):
        return f"{listed[0]} to {listed[-1]}"
    return ", ".join(map(str, listed))
