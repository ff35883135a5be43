"""Record of a live run: the facts that it keeps, its completeness, and what a person should know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.core.sink.facts import LOWERED, MET
from airflow_legacy_events.sources.topic import lowering
from airflow_legacy_events.sources.topic.batches import TopicBatches
from airflow_legacy_events.sources.topic.facts import (
    CAUGHT_UP,
    COUNTS,
    IDS,
    KIND,
    LATER,
    STANDING,
    TRUNCATED,
    TURN,
)
from airflow_legacy_events.sources.topic.opening import Opening
from airflow_legacy_events.sources.topic.parts import counts_of, ids_of
from airflow_legacy_events.sources.topic.positions import name_of, names_of
from airflow_legacy_events.sources.topic.waits import kept


@dataclass
class Record:
    """What a live run records.

    Attributes:
        opening: of the run.
        met: returns what messages of this run added.
        now: milliseconds since 1970-01-01 UTC.
        log: of the task.
        stream: its name.
        reasons: why the completeness is `best_effort`, without what messages said.
    """

    opening: Opening
    met: Callable[[], Mapping[str, Any]]
    now: Callable[[], int]
    log: logging.Logger
    stream: str
    reasons: dict[str, str] = field(init=False)
    _announced: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.reasons = dict(self.opening.reasons)
        self._announced = self.judged()

    def truncated(self) -> list[str]:
        """Return the event ids of truncates that earlier runs applied."""
        return list(self.opening.stored.get(TRUNCATED) or ())

    def at_start(self, batches: TopicBatches) -> dict[str, Any]:
        """Return the facts of the run before it reads."""
        stored, found = self.opening.stored, self.opening.found
        known = {topic: one for topic, one in (stored.get(IDS) or {}).items() if topic in found}
        return {
            "kind": KIND,
            "cluster": self.opening.cluster,
            IDS: {**known, **ids_of(found)},
            COUNTS: counts_of(found),
            **({MET: stored[MET]} if MET in stored else {}),
            **self.facts(batches, final=False),
            STANDING: stored.get(STANDING) or {},
        }

    def facts(self, batches: TopicBatches, *, final: bool) -> dict[str, Any]:
        """Return the facts that are kept with a batch.

        Args:
            batches: of the run.
            final: whether everything that may be read now is read.
        """
        truncating, now = batches.truncating, self.now()
        self._lower(lowering.of_gaps(batches.skipped))
        if truncating is not None:
            late = frozenset(one for wait in batches.waits for one in wait.partitions) & truncating.repeated
            self._lower(lowering.of_repeated_truncates(late))
        if final:
            self._lower(lowering.of_compaction(self.opening.found, self.opening.caught_up, now))
        return {
            LATER: kept(batches.waits, batches.at, now),
            TRUNCATED: self.truncated() if truncating is None else truncating.applied,
            STANDING: standing(batches),
            CAUGHT_UP: self.opening.now if final and not batches.held else self.opening.caught_up,
            TURN: None if batches.turn is None else name_of(batches.turn),
            LOWERED: dict(self.reasons),
        }

    def judged(self) -> tuple[str, str]:
        """Return completeness and reason as far as they are known."""
        met = {**(self.opening.stored.get(MET) or {}), **self.met()}
        return lowering.judged({**self.reasons, **(met.get(LOWERED) or {})})

    def lowered(self) -> tuple[str, str] | None:
        """Return completeness and reason if they are others than at the start."""
        found = self.judged()
        return None if found == self._announced else found

    def announce(self) -> None:
        """Log what a run found at its start: reasons that are new, and partitions."""
        opening, known = self.opening, self.opening.stored.get(LOWERED) or {}
        for kind, reason in opening.reasons.items():
            if kind not in known:
                self.log.warning("%s: %s", self.stream, reason)
        if opening.start.came:
            self.log.info(
                "%s: found new partitions, which are read behind the older ones: %s",
                self.stream,
                names_of(opening.start.came),
            )

    def _lower(self, reasons: Mapping[str, str]) -> None:
        for kind, reason in reasons.items():
            if kind not in self.reasons:
                self.log.warning("%s: %s", self.stream, reason)
                self.reasons = {**self.reasons, kind: reason}

    def warn_of_missed(self, partitions: list[Partition]) -> None:
        """Log a truncate that is passed, since other partitions begin behind it."""
        self.log.warning(
            "%s: a truncate of %s is passed, since the other partitions do not have it; a later one follows on all",
            self.stream,
            names_of(partitions),
        )

    def warn_of_waiting(self, batches: TopicBatches) -> None:
        """Log partitions that were not read to their ends, since they wait for others, not for a budget."""
        if batches.left:
            return
        stood = self.opening.stored.get(STANDING) or {}
        stands = standing(batches)
        if again := {name: offset for name, offset in stands.items() if stood.get(name) == offset}:
            self.log.warning(
                "%s: waits at the truncates %s, which the other partitions of the topic still do not have. If they"
                " never come, set the positions behind them, and those of the other partitions as they are:\n%s",
                self.stream,
                _listed(again),
                command("set", self.stream, "VALUE..."),
            )
        elif stands:
            self.log.info("%s: waits at the truncates %s for the other partitions", self.stream, _listed(stands))
        waiting = batches.held - {one for one in batches.at if name_of(one) in stands}
        if waiting:
            self.log.info("%s: not read yet, since older partitions come first: %s", self.stream, names_of(waiting))

    def shown(self, batches: TopicBatches) -> dict[str, Any]:
        """Return the state of the run's partitions as plain JSON; see `TopicSource.report`."""
        stands = standing(batches)
        waiting = sorted(one for one in batches.held if name_of(one) not in stands)
        return {
            "deleted_unread": {name_of(one): count for one, count in sorted(dict(batches.skipped).items())},
            "waiting": [name_of(one) for one in waiting],
            "standing": stands,
        }


def standing(batches: TopicBatches) -> dict[str, int]:
    """Return the offsets of truncates at which partitions wait; the read-ahead thread may be moving them."""
    stands = {} if batches.truncating is None else dict(batches.truncating.stands)
    held = {*stands, *batches.idle}
    return {name_of(one): batches.at[one].offset for one in sorted(held)}


def _listed(stands: Mapping[str, int]) -> str:
    return ", ".join(f"{name} at {offset}" for name, offset in stands.items())
