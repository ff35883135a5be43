"""Completeness of a stream of a topic: `exact`, unless messages may be missing that no run will see."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.parts import Found
from airflow_legacy_events.sources.topic.positions import names_of
from airflow_legacy_events.sources.topic.starting import counted

START, GAP, COMPACTION, TRUNCATE = "start", "gap", "compaction", "truncate"

_DAY_MS = 86_400_000
_EXACT = "each message up to the ends that were fixed at the start is read once, in the order of its partition"
_REMEDY = "apply the topic from its beginning into another table, or rewind or forget the stream once that is settled"


def judged(reasons: Mapping[str, str]) -> tuple[str, str]:
    """Return completeness and reason."""
    if not reasons:
        return "exact", _EXACT
    return "best_effort", f"{'; '.join(reasons.values())}. {_REMEDY[:1].upper()}{_REMEDY[1:]}"


def of_first_run(deleted: Mapping[Partition, int]) -> dict[str, str]:
    """Return why a first run is not complete: the logs of these partitions begin above offset 0."""
    if not deleted:
        return {}
    return {START: f"the first run found that messages had been deleted already: at most {counted(deleted)}"}


def of_replay(deleted: Mapping[Partition, int]) -> dict[str, str]:
    """Return why a replay is not complete: what was written to these partitions in its window may be deleted."""
    if not deleted:
        return {}
    return {START: f"messages of the window may have been deleted already: at most {counted(deleted)}"}


def of_gaps(skipped: Mapping[Partition, int]) -> dict[str, str]:
    """Return why a run that skips a gap is not complete."""
    if not skipped:
        return {}
    return {
        GAP: f"on_gap='skip' passed at most {sum(skipped.values())} messages that were deleted unread:"
        f" {counted(skipped)}"
    }


def of_compaction(found: Found, caught_up: int, now: int) -> dict[str, str]:
    """Return why a compacted topic may have lost deletes: its tombstones are removed after some time.

    Args:
        found: the topics.
        caught_up: when all messages were last read, in milliseconds since 1970-01-01 UTC.
        now: likewise.
    """
    kept = {topic: _kept_ms(one.tombstone_ms) for topic, one in found.items() if one.compacted}
    late = sorted(topic for topic, most in kept.items() if now - caught_up > most)
    if not late:
        return {}
    return {
        COMPACTION: f"{', '.join(map(repr, late))} is compacted and keeps tombstones for {kept[late[0]] / 1_000:g} s"
        f" (delete.retention.ms), and all messages were last read {(now - caught_up) / 1_000:.0f} s before: rows that"
        " were deleted meanwhile may have stayed"
    }


def of_repeated_truncates(partitions: frozenset[Partition]) -> dict[str, str]:
    """Return why rows may have stayed that a truncate should have deleted."""
    if not partitions:
        return {}
    return {
        TRUNCATE: f"{names_of(partitions)} came later than a truncate was applied that is in it too: rows that were"
        " written before it may have stayed"
    }


def looks_often(found: Found) -> int | None:
    """Return after how many milliseconds a run notes that nothing was new; None if that is of no use."""
    kept = [_kept_ms(one.tombstone_ms) for one in found.values() if one.compacted]
    return min(kept) // 4 if kept else None


def _kept_ms(tombstone_ms: int | None) -> int:
    """How long tombstones are kept: a day by default, where it can't be seen."""
    return _DAY_MS if tombstone_ms is None else tombstone_ms
