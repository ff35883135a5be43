"""Beginning of a run: where each partition continues, and what the log does not hold any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import GapError, WatermarkError
from airflow_legacy_events.core.ports.reader import Extent, Reader, ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.facts import IDS, known_counts
from airflow_legacy_events.sources.topic.positions import FORM, Place, name_of, names_of, some

Extents = Mapping[Partition, Extent]
Positions = dict[Partition, ReadPosition]


class Start(NamedTuple):
    """Where a run begins.

    Attributes:
        at: position of each partition.
        came: partitions that were not known before.
        skipped: number of offsets that are not in the log any more, by partition.
        moved: whether positions differ from the stored values, so that they have to be saved.
    """

    at: Positions
    came: frozenset[Partition] = frozenset()
    skipped: Mapping[Partition, int] = {}
    moved: bool = False


def at_moment(reader: Reader, extents: Extents, partitions: Collection[Partition], moment: int) -> Positions:
    """Return the position of the first message at or behind a moment, at most the end, of each partition."""
    found = reader.offsets_at(partitions, moment) if partitions else {}
    ends = {one: extents[one].end for one in partitions}
    offsets = {one: ends[one] if (offset := found.get(one)) is None else offset for one in partitions}
    return {one: ReadPosition(min(offset, ends[one])) for one, offset in offsets.items()}


def known_places(
    stream: str,
    places: Mapping[Partition, Place],
    facts: Mapping[str, Any],
    extents: Extents,
    warn: Callable[..., None],
) -> tuple[dict[Partition, Place], frozenset[Partition]]:
    """Return the stored places of the partitions that are read, and the partitions that came later.

    Args:
        stream: whose watermark it is.
        places: that it names.
        facts: of it.
        extents: of the partitions that are read.
        warn: logs a warning.

    Raises:
        WatermarkError: it names other partitions, or lacks some that it should know.
    """
    others = places.keys() - extents.keys()
    if others and IDS in facts:
        raise WatermarkError(
            f"the watermark of stream {stream!r} has positions of {names_of(others)}, which this run does not read;"
            f" nothing was read.\nWrite one {FORM} for each that it reads: {command('set', stream, 'VALUE...')}"
            "\nOr give the stream another name with stream="
        )
    if others:  # a person accepted other topics
        warn("%s: positions of %s are dropped, since they are not read any more", stream, names_of(others))
    came = frozenset(extents.keys() - places.keys())
    counts = known_counts(facts)
    if lacking := {one for one in came if not counts or one.number < counts.get(one.topic, 0)}:
        raise WatermarkError(
            f"the watermark of stream {stream!r} has no position of {names_of(lacking)}; nothing was read."
            f"\nWrite one {FORM} for each partition, 0 for an unread one: {command('set', stream, 'VALUE...')}"
        )
    return {one: place for one, place in places.items() if one in extents}, came


def resolved(reader: Reader, extents: Extents, places: Mapping[Partition, Place]) -> Positions:
    """Return positions; the offset of a moment is looked up."""
    at = {one: place.at for one, place in places.items() if place.at is not None}
    for moment in sorted({place.since for place in places.values() if place.since is not None}):
        meant = [one for one, place in places.items() if place.since == moment]
        for one, position in at_moment(reader, extents, meant, moment).items():
            at[one] = min(position, at.get(one, position), key=lambda place: place.offset)
    return at


def started(stream: str, at: Positions, came: frozenset[Partition], extents: Extents, *, skip: bool) -> Start:
    """Return the start, after checking that the log holds each position.

    Args:
        stream: for errors.
        at: position of each partition that is known.
        came: partitions that were not known before; they begin at their first record.
        extents: of all.
        skip: whether positions that retention passed are moved to what is left.

    Raises:
        GapError: retention passed a position.
        WatermarkError: a position lies beyond the end of the log.
    """
    at = {**at, **{one: ReadPosition(0) for one in came}}
    if beyond := {one for one in at if at[one].offset > extents[one].high}:
        listed = [f"{name_of(one)} at {at[one].offset}, the log ends at {extents[one].high}" for one in sorted(beyond)]
        raise WatermarkError(
            f"positions of stream {stream!r} lie beyond the end of the log: {some(listed)}; nothing was read. The"
            " broker lost records, the topic is another one, or a wrong offset was set.\nTo continue at an offset that"
            f" is there: {command('set', stream, 'VALUE...')}\nTo start over: {command('forget', stream)}"
        )
    gaps = {one: extents[one].start - at[one].offset for one in at if at[one].offset < extents[one].start}
    if gaps and not skip:
        first = min(gaps)
        raise GapError(
            f"messages of stream {stream!r} were deleted before they were read: at most {sum(gaps.values())}, "
            f"{counted(gaps)}; nothing was read.\nTo continue with what is left: on_gap='skip', or"
            f" {command('set', stream, 'VALUE...')}\nTo start over: {command('forget', stream)}",
            topic=first.topic,
            partition=first.number,
            start=extents[first].start,
        )
    at = {one: ReadPosition(extents[one].start) if one in gaps else place for one, place in at.items()}
    return Start(at, came, gaps, moved=bool(gaps))


def counted(gaps: Mapping[Partition, int]) -> str:
    """Return how many offsets are missing in each partition, in words."""
    return some([f"{count} of {name_of(one)}" for one, count in sorted(gaps.items())])
