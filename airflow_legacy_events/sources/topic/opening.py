"""Beginning of a live run: positions, ends and reasons, from what the watermark holds and the broker has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports.reader import Extent, ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.core.sink.facts import LOWERED
from airflow_legacy_events.sources.topic import lowering
from airflow_legacy_events.sources.topic.arguments import ALL, NOW, TopicArguments, first_moment
from airflow_legacy_events.sources.topic.facts import (
    CAUGHT_UP,
    FIRST,
    IDS,
    KIND,
    LATER,
    STANDING,
    TURN,
    check_topic_facts,
)
from airflow_legacy_events.sources.topic.parts import Found, check_topics_remain, extents_of
from airflow_legacy_events.sources.topic.positions import name_of, places_of, values_of
from airflow_legacy_events.sources.topic.starting import Start, at_moment, known_places, resolved, started
from airflow_legacy_events.sources.topic.waits import Wait, renewed, waits_of


@dataclass(kw_only=True)
class Opening:
    """What a live run begins with.

    Attributes:
        cluster: identity of the cluster; None if it reports none.
        found: the topics.
        extents: of the partitions that are read.
        start: where they begin.
        begins: whether the stream has no positions yet.
        stored: facts of the watermark.
        waits: partitions that are read behind others.
        reasons: why the completeness is `best_effort`, without what messages said.
        caught_up: when all messages were last read, in milliseconds since 1970-01-01 UTC.
        now: likewise.
        fresh: whether a reason is new.
    """

    cluster: str | None
    found: Found
    extents: dict[Partition, Extent]
    start: Start
    begins: bool
    stored: Mapping[str, Any]
    waits: list[Wait]
    reasons: dict[str, str]
    caught_up: int
    now: int
    fresh: bool

    @property
    def ends(self) -> dict[Partition, int]:
        """Where the run ends."""
        return {one: extent.end for one, extent in self.extents.items()}

    @property
    def target(self) -> tuple[str, ...]:
        """Where the run ends, as watermark values."""
        return values_of({one: ReadPosition(extent.end) for one, extent in self.extents.items()})

    @property
    def idle(self) -> frozenset[Partition]:
        """Partitions that stood at a truncate when the last run ended, of topics where others still have none."""
        stood, at, ends = self.stored.get(STANDING) or {}, self.start.at, self.ends
        standing = {one for one, place in at.items() if stood.get(name_of(one)) == place.offset}
        if not standing:
            return frozenset()
        waiting = {one for wait in self.waits if not wait.over(at) for one in wait.partitions}
        others = {one for one in at if one not in standing and one not in waiting}
        lack = {one.topic for one in others} - {one.topic for one in others if at[one].offset < ends[one]}
        return frozenset(one for one in standing if one.topic in lack)

    @property
    def turn(self) -> Partition | None:
        """The partition that the last run with a budget read first."""
        return next((one for one in self.extents if name_of(one) == self.stored.get(TURN)), None)

    @property
    def must_save(self) -> bool:
        """Whether the run has something to record even if it reads nothing."""
        often = lowering.looks_often(self.found)
        late = often is not None and self.now - self.caught_up >= often
        return self.begins or self.fresh or self.start.moved or bool(self.start.came) or late


def opened(arguments: TopicArguments, at: Watermark | None, found: Found, now: int, *, settled: bool) -> Opening:
    """Return what a live run from a watermark begins with.

    Args:
        arguments: of the source.
        at: the stored watermark.
        found: the topics.
        now: milliseconds since 1970-01-01 UTC, taken before the topics were looked at.
        settled: whether the ends of older partitions are taken once more, behind those of partitions that came later:
            then all that was written to the older ones before is below them.

    Raises:
        ConfigurationError, DeliveryError, WatermarkError: as `core.ports.Source.open`.
    """
    stream, facts = arguments.stream, {} if at is None else at.facts
    check_topic_facts(stream, facts)
    cluster = arguments.reader.cluster_id()
    guard.check(stream, facts, {"kind": KIND, "cluster": cluster})
    check_topics_remain(stream, facts, found)
    extents = extents_of(found, arguments.partitions)
    start, reasons = _beginning(arguments, at, extents)
    caught_up = facts.get(CAUGHT_UP) or now
    reasons |= lowering.of_compaction(found, caught_up, now)
    waits = waits_of(stream, facts.get(LATER))
    latest = _looked_again(arguments, extents) if settled and (waits or start.came) else extents
    waits = renewed(waits, start.came, {one: extent.high for one, extent in latest.items()}, now)
    behind = {one for wait in waits for one in wait.partitions}
    known = facts.get(LOWERED) or {}
    return Opening(
        cluster=cluster,
        found=found,
        extents={one: extent if one in behind else latest[one] for one, extent in extents.items()},
        start=start,
        begins=at is None or not at.values,
        stored=facts,
        waits=waits,
        reasons={**reasons, **known},
        caught_up=caught_up,
        now=now,
        fresh=not reasons.keys() <= known.keys(),
    )


def _beginning(
    arguments: TopicArguments, at: Watermark | None, extents: Mapping[Partition, Extent]
) -> tuple[Start, dict[str, str]]:
    """Return where the run begins, and why what lies before may be incomplete."""
    facts: Mapping[str, Any] = {} if at is None else at.facts
    values = None if at is None else facts.get(FIRST) if at.values is None else at.values
    if values:
        start = _continued(arguments, values, facts, extents)
        return start, lowering.of_gaps(start.skipped)
    start = _first(arguments, extents, from_start=values == ())
    if arguments.first_run == NOW and values != ():
        return start, {}
    deleted = {one: extents[one].start for one, place in start.at.items() if 0 < place.offset == extents[one].start}
    return start, lowering.of_first_run(deleted)


def _looked_again(arguments: TopicArguments, extents: Mapping[Partition, Extent]) -> dict[Partition, Extent]:
    """Return the extents as they are by now; one look that waits for open transactions is enough."""
    waited = any(extent.end < extent.high for extent in extents.values())
    found = extents_of(arguments.reader.find(arguments.topics, settled=not waited), arguments.partitions)
    return {one: found.get(one, extent) for one, extent in extents.items()}


def _first(arguments: TopicArguments, extents: Mapping[Partition, Extent], *, from_start: bool) -> Start:
    moment = first_moment(arguments.first_run)
    if from_start or arguments.first_run == ALL:
        return Start({one: ReadPosition(extent.start) for one, extent in extents.items()})
    if moment is None:
        return Start({one: ReadPosition(extent.end) for one, extent in extents.items()})
    return Start(at_moment(arguments.reader, extents, extents.keys(), moment))


def _continued(
    arguments: TopicArguments, values: Any, facts: Mapping[str, Any], extents: Mapping[Partition, Extent]
) -> Start:
    stream = arguments.stream
    places = places_of(stream, values)
    known, came = known_places(stream, places, facts, extents, arguments.log.warning)
    at = resolved(arguments.reader, extents, known)
    start = started(stream, at, came, extents, skip=arguments.on_gap == "skip")
    looked_up = any(place.since is not None for place in known.values())
    accepted = IDS not in facts  # by a person: what is found now is recorded
    return start._replace(moved=start.moved or looked_up or accepted)
