"""Topic identity: what was delivered to a deleted topic is lost, even if a new topic has its name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Broker

FACT = "topic_id"
"""Fact of a watermark: identity of the stream's topic. Absent in older watermarks, and if rows name the topics."""

CHECK_SECONDS = 2.0


def same(stored: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether two topics are the same, as far as the facts show."""
    return None in (stored.get(FACT), found.get(FACT)) or stored[FACT] == found[FACT]


def owned(stream: str, stored: Watermark, found: Mapping[str, Any], log: logging.Logger) -> Watermark:
    """Return the watermark from which a stream continues, after checking that its topic is still the same.

    A different topic is accepted if the stream begins anyway: it has delivered nothing yet, or sends the whole table
    with each load. An interrupted load then restarts, and a line is logged.

    Args:
        stream: whose watermark it is.
        stored: the watermark.
        found: facts of this run.
        log: of the task.

    Raises:
        WatermarkError: it is a different topic, or it was deleted and recreated.
    """
    if same(stored.facts, found):
        return stored
    topic, before, now = found.get("topic"), stored.facts[FACT], found[FACT]
    if _begins(stored):
        log.info("stream %s starts over on topic %s, which was recreated: %s, before %s", stream, topic, now, before)
        return stored._replace(values=()) if stored.values else stored
    raise WatermarkError(
        f"topic {topic!r} was deleted and recreated: the watermark of stream {stream!r} was written for the topic with"
        f" the id {before!r}. The topic of that name now has {now!r}, and what the stream had delivered is not on it."
        f" Nothing was read. To send everything again, start over with {command('forget', stream)}. To continue where"
        f" the stream was, {command('set', stream, '--accept topic')}, and replay the range that the topic lacks"
    )


def _begins(stored: Watermark) -> bool:
    """Whether the stream sends everything again; a pass over rows without a value is not repeated."""
    if stored.facts.get("watermark_columns") == []:
        return True
    return not stored.values and not stored.facts.get("nulls")


def kept(stored: Watermark | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored identity as a fact if this run could not determine its topic's."""
    if stored is None or found.get(FACT) is not None or stored.facts.get(FACT) is None:
        return {}
    return {FACT: stored.facts[FACT]}


class WrittenTopics:
    """Topics that a run has written to.

    Args:
        broker: of the run.
        name: of the stream, or of the progress of its replay.
        clock: monotonic seconds.
    """

    def __init__(self, broker: Broker, name: str, clock: Callable[[], float]) -> None:
        self._broker, self._name, self._clock = broker, name, clock
        self._checked = clock()

    def check(self, *, last: bool) -> None:
        """Check that they still exist, at most every 2 s except for the last time.

        Raises:
            WatermarkError: one was deleted, or recreated.
        """
        now = self._clock()
        if not last and now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        if remade := self._broker.remade():
            names = ", ".join(map(repr, remade))
            raise WatermarkError(
                f"while this run of {self._name!r} wrote to it, topic {names} was deleted, or deleted and recreated:"
                " what was delivered before is not on it. The watermark was left where it was last saved. If the next"
                " run does not start over by itself, replay what the topic lacks, or start over with"
                f" {command('forget', self._name)}"
            )
