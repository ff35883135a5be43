"""Arguments of a topic source, and their checks."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.reader import Reader
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.topic.positions import milliseconds_of

ALL, NOW = "all", "now"
ON_GAP = ("fail", "skip")

Truncates: TypeAlias = Callable[[Received], Sequence[tuple[int, str | None]]]
"""Finds messages that truncate a table: their places, ascending, and their event ids."""


@dataclass(kw_only=True)
class TopicArguments:
    """Arguments of a topic source.

    Attributes:
        reader: of the broker; closed by its owner.
        topics: that are read, together.
        stream: name of the stream, for messages.
        partitions: numbers of those that are read, in each topic; None: all.
        first_run: `all`; `now`: a first run only marks the ends; or a time with an offset, as a text or a datetime.
        on_gap: `fail`, or `skip` for positions that retention passed: the first record that is left follows.
        limits: budgets of the run.
        truncates: finds messages that truncate a table and that the producer sends to every partition; each is passed
            on when all partitions of its topic have reached it. None: they are messages like all others.
        met: returns what messages of this run added to the fact `core.sink.facts.MET`.
        log: of the task.
        clock: seconds since 1970-01-01 UTC.
    """

    reader: Reader
    topics: Sequence[str]
    stream: str
    partitions: Sequence[int] | None = None
    first_run: str | dt.datetime = ALL
    on_gap: str = ON_GAP[0]
    limits: Limits = field(default_factory=Limits)
    truncates: Truncates | None = None
    met: Callable[[], Mapping[str, Any]] = dict
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    clock: Callable[[], float] = time.time

    def check_arguments(self) -> None:
        """Check what needs no broker; every fault is reported.

        Raises:
            ConfigurationError: the only fault, or a list of all.
        """
        problems = Problems()
        with problems.collect():
            check_topics(self.topics)
        with problems.collect():
            check_partitions(self.partitions)
        with problems.collect():
            moment = first_moment(self.first_run)
            if moment is not None and moment > self.clock() * 1_000:
                raise ConfigurationError(
                    f"first_run={self.first_run!r} lies in the future; nothing was read. Give a time that has passed,"
                    " or first_run='now'"
                )
        with problems.collect():
            check_on_gap(self.on_gap)
        if self.partitions is not None and self.truncates is not None:
            problems.found.append(
                ConfigurationError(
                    "on_truncate='apply' can't be combined with partitions=: a truncate is applied once all partitions"
                    " of its topic have reached it.\nRead the topic in one task, or use on_truncate='skip'"
                )
            )
        problems.raise_found()


def check_topics(topics: Any) -> None:
    """Check the names of topics.

    Raises:
        ConfigurationError: they are no names, or one is named twice.
    """
    listed = not isinstance(topics, str) and isinstance(topics, Sequence)
    if not listed or not topics or not all(isinstance(one, str) and one for one in topics):
        raise ConfigurationError(f"topics={topics!r} is not a list of names; nothing was read. Name at least one topic")
    if twice := sorted({one for one in topics if topics.count(one) > 1}):
        raise ConfigurationError(f"topics= names {', '.join(map(repr, twice))} twice; nothing was read. Name it once")


def check_partitions(partitions: Any) -> None:
    """Check the numbers of partitions; None stands for all.

    Raises:
        ConfigurationError: they are no numbers, or one is named twice.
    """
    if partitions is None:
        return
    listed = not isinstance(partitions, str | bytes) and isinstance(partitions, Sequence)
    if not listed or not partitions or not all(type(one) is int and one >= 0 for one in partitions):
        raise ConfigurationError(
            f"partitions={partitions!r} is not a list of numbers from 0 on; nothing was read. Write partitions=[0, 1],"
            " or leave it out for all"
        )
    if len(set(partitions)) < len(partitions):
        raise ConfigurationError(f"partitions={partitions!r} names one twice; nothing was read. Name each once")


def check_on_gap(on_gap: Any) -> None:
    """Check what to do about positions that retention passed.

    Raises:
        ConfigurationError: it is not known.
    """
    if on_gap not in ON_GAP:
        raise ConfigurationError(f"on_gap={on_gap!r} is not known; nothing was read. Use one of {', '.join(ON_GAP)}")


def first_moment(first_run: Any) -> int | None:
    """Return the time at which a first run begins, in milliseconds since 1970-01-01 UTC; None for `all` and `now`.

    Raises:
        ConfigurationError: it is neither of these words nor a time with an offset.
    """
    if first_run in (ALL, NOW):
        return None
    try:
        moment = dt.datetime.fromisoformat(first_run) if isinstance(first_run, str) else first_run
    except ValueError:
        moment = None
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise ConfigurationError(
            f"first_run={first_run!r} is neither 'all' nor 'now' nor a time with an offset; nothing was read. Write a"
            " time as 2026-11-01T00:00:00+00:00"
        )
    return milliseconds_of(moment)
