"""Stream options: the arguments apart from the source, such as destination, message format and budgets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from airflow_legacy_events.core.completeness import LEVELS
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Formats
from airflow_legacy_events.core.ports import Envelope, WatermarkStore
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template

ON_BUSY = ("skip", "wait", "fail")
_NO_LIMITS: Mapping[str, Any] = {"batch_rows": 1, "max_rows": None, "max_seconds": None, "rows_per_second": None}


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The arguments that every operator of a stream shares, under their names there; see `operators._moving`.

    Attributes:
        fixed_names: whether the parts of the stream's name were written without a template.
    """

    broker_conn_id: str
    dead_letter_topic: str | None
    batch_rows: int
    max_rows: int | None
    max_seconds: float | None
    rows_per_second: float | None
    on_busy: str
    on_new_stream: str
    delivery_timeout: dt.timedelta
    fixed_names: bool = True
    completeness: str = LEVELS[0]
    topic_partitions: int | None = None

    @classmethod
    def of(cls, operator: Any) -> Self:
        """Return the options from an operator's attributes of the same names; not every operator has all."""
        held = vars(operator)
        return cls(**{one.name: held[one.name] for one in fields(cls) if one.name in held})

    def check(self) -> None:
        """Check what can be known before the arguments are rendered.

        Raises:
            ConfigurationError: an argument is wrong.
        """
        problems = Problems()
        with problems.collect():
            arguments.choice("on_busy", self.on_busy, ON_BUSY)
        with problems.collect():
            arguments.choice("on_new_stream", self.on_new_stream, ("warn", "fail"))
        with problems.collect():
            arguments.span("delivery_timeout", self.delivery_timeout, zero=False)
        for name in ("batch_rows", "max_rows", "max_seconds", "rows_per_second"):
            with problems.collect():
                arguments.limits(**{**_NO_LIMITS, name: getattr(self, name)})
        problems.raise_found()

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics, besides the stream's own, that messages may be sent to."""
        return () if self.dead_letter_topic is None else (self.dead_letter_topic,)

    def live_limits(self) -> Limits:
        """Return the budgets of a live run.

        Raises:
            ConfigurationError: a rendered budget is not a number above 0.
        """
        return arguments.limits(self.batch_rows, self.max_rows, self.max_seconds, self.rows_per_second)

    def repeat_limits(self, rows_per_second: float | None) -> Limits:
        """Return the budgets of a run that sends again: only the rate, because no later run would send the rest.

        Args:
            rows_per_second: that the run itself requests; None: the operator's.

        Raises:
            ConfigurationError: as `live_limits`.
        """
        return arguments.limits(self.batch_rows, None, None, rows_per_second or self.rows_per_second)


@dataclass(frozen=True, kw_only=True)
class StreamOptions(RunOptions):
    """The arguments that every operator shares whose stream goes to topics; see `operators._stream`.

    Fields with a default are not taken by every operator.
    """

    topic: str
    topic_config: Mapping[str, str] | None
    envelope: str | Envelope | None
    watermark_store: str | WatermarkStore | None
    headers: Mapping[str, str] | None
    replay_topic: str | None = None
    replay_topics: Any = ()
    decimals: str = Formats().decimals
    bigints: str = Formats().bigints
    times: str = Formats().times
    bytes: str = Formats().bytes
    event_type: str | None = None
    event_source: str | None = None
    subject: str | None = None
    timestamp_column: str | None = None
    tombstones: bool | None = None
    max_horizon_age: dt.timedelta | None = None

    def check(self) -> None:
        """See `RunOptions.check`."""
        super().check()
        arguments.choice("completeness", self.completeness, LEVELS)
        if self.max_horizon_age is not None:
            arguments.span("max_horizon_age", self.max_horizon_age, zero=False)
        arguments.whole(topic_partitions=self.topic_partitions)
        if not (isinstance(self.replay_topics, str) and holds_template(self.replay_topics)):
            arguments.topics("replay_topics", self.replay_topics)
        arguments.only_with("topic_config", self.topic_config, "topic_partitions", self.topic_partitions)

    def repeat_topic(self, given: str | None) -> str:
        """Return the topic of a run that sends again; it must be one of the DAG author's topics.

        Args:
            given: the topic in the run's configuration; None: the operator's.

        Raises:
            ConfigurationError: the operator does not allow that topic, or a rendered argument is not a list of names.
        """
        further = arguments.topics("replay_topics", self.replay_topics)
        if given is None:
            return self.replay_topic or self.topic
        allowed = [*dict.fromkeys(one for one in (self.topic, self.replay_topic, *further) if one)]
        if given not in allowed:
            raise ConfigurationError(
                f"the run's configuration requests a replay to topic {given!r}; nothing was read. It may name"
                f" {' or '.join(map(repr, allowed))}: the task's topic=, its replay_topic= and replay_topics=. Leave"
                ' "topic" out, or let the author of the DAG add it to replay_topics='
            )
        return given
