"""Replay of a window of time, from the first message at its lower bound to the logs' ends at the replay's start.

Timestamps need not ascend with the offsets, so each message up to the end is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.model import Horizon, Watermark, Window
from airflow_legacy_events.core.ports.reader import Extent, ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic import lowering
from airflow_legacy_events.sources.topic.arguments import TopicArguments
from airflow_legacy_events.sources.topic.batches import SHAPE, TopicBatches
from airflow_legacy_events.sources.topic.facts import COUNTS, ENDS, IDS, KIND, WINDOW, check_topic_facts
from airflow_legacy_events.sources.topic.parts import counts_of, extents_of, ids_of
from airflow_legacy_events.sources.topic.positions import places_of, values_of
from airflow_legacy_events.sources.topic.starting import Positions, at_moment, started
from airflow_legacy_events.sources.topic.truncating import Truncating
from airflow_legacy_events.sources.topic.windows import TimeWindow, time_window


class OpenedReplay(NamedTuple):
    """Horizon and batches of a replay."""

    horizon: Horizon
    batches: TopicBatches


def open_replay(arguments: TopicArguments, window: Window, progress: Watermark | None) -> OpenedReplay:
    """Return horizon and batches of a replay.

    Args:
        arguments: of the source.
        window: to apply again.
        progress: of an earlier try; that of another window, or of a topic that was recreated since, is not used.

    Raises:
        ConfigurationError, DeliveryError, WatermarkError: as `core.ports.Source.open`.
    """
    bounds, stream = time_window(window), arguments.stream
    found = arguments.reader.find(arguments.topics)
    extents = extents_of(found, arguments.partitions)
    facts: dict[str, Any] = {
        "kind": KIND,
        "cluster": arguments.reader.cluster_id(),
        IDS: ids_of(found),
        COUNTS: counts_of(found),
        WINDOW: [window.low, window.high],
    }
    begun = _begun(stream, progress, facts, extents)
    if begun is None:
        ends = {one: extent.end for one, extent in extents.items()}
        at = at_moment(arguments.reader, extents, extents.keys(), bounds.low)
    else:
        ends, at = begun
        extents = {one: extents[one] for one in ends}
        at = at or at_moment(arguments.reader, extents, extents.keys(), bounds.low)
    start = started(stream, at, frozenset(), extents, skip=arguments.on_gap == "skip")
    facts[ENDS] = list(values_of({one: ReadPosition(end) for one, end in ends.items()}))
    batches = _batches(arguments, dict(start.at), ends, bounds)
    deleted = {one: extents[one].start for one, place in at.items() if 0 < extents[one].start == place.offset}
    completeness, reason = lowering.judged({**lowering.of_replay(deleted), **lowering.of_gaps(start.skipped)})
    target = tuple(facts[ENDS]) if batches.left else None
    return OpenedReplay(Horizon(target, completeness, reason, facts, shape=SHAPE), batches)


def _begun(
    stream: str, progress: Watermark | None, facts: Mapping[str, Any], extents: Mapping[Partition, Extent]
) -> tuple[dict[Partition, int], Positions] | None:
    """Return ends and positions of an earlier try; None if there was none of this window."""
    if progress is None or progress.facts.get(WINDOW) != facts[WINDOW] or progress.facts.get(IDS) != facts[IDS]:
        return None
    check_topic_facts(stream, progress.facts)
    ends = {
        one: place.at.offset for one, place in places_of(stream, progress.facts.get(ENDS) or ()).items() if place.at
    }
    at = {one: place.at for one, place in places_of(stream, progress.values or ()).items() if place.at}
    if not ends.keys() <= extents.keys() or (at and at.keys() != ends.keys()):
        return None
    return ends, at


def _positions(stream: str, values: Any) -> Positions:
    return {one: place.at for one, place in places_of(stream, values or ()).items() if place.at is not None}


def _batches(
    arguments: TopicArguments, at: Positions, ends: Mapping[Partition, int], bounds: TimeWindow
) -> TopicBatches:
    return TopicBatches(
        reader=arguments.reader,
        at=at,
        ends=ends,
        limits=arguments.limits,
        facts=lambda _: {},
        truncating=None if arguments.truncates is None else Truncating(arguments.truncates),
        window=bounds,
        skip=arguments.on_gap == "skip",
    )
