"""Topic spec: the arguments of `TopicToTableOperator`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.ports import Database, Source
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.core.uris import path_of
from airflow_legacy_events.streams.specs.sink_arguments import SinkArguments
from airflow_legacy_events.streams.specs.sink_checks import check_sink
from airflow_legacy_events.streams.specs.topic_watermark import BROKER, PARTITIONS, TopicWatermark


@dataclass(frozen=True, kw_only=True)
class TopicSpec(SinkArguments, TopicWatermark):
    """The arguments of a sink, under the operator's names; see `TopicToTableOperator`."""

    kind: ClassVar[str] = "topic"
    remedies: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "server": "the positions lie in the database whose rows they describe, and this one has another identity:"
            " point target_conn_id back to the first server. If this one is a copy of it, {accept}"
        }
    )
    time_column: ClassVar[None] = None
    watermark_names: ClassVar[tuple[str, ...]] = ()
    without_key: ClassVar[bool] = False
    row_security: ClassVar[str] = FAIL

    @classmethod
    def of(cls, holder: Any) -> Self:
        """Return the spec from the attributes of an operator."""
        held = vars(holder)
        named = {one.name: held[one.name] for one in fields(cls) if one.name in held}
        return cls(conn_id=held["target_conn_id"], name=held["stream"], **named)

    @classmethod
    def left_by(cls, facts: Mapping[str, Any], stream: str, given: Mapping[str, Any]) -> Self:
        """See `SourceSpec.left_by`; offsets are counted, some of which may be control records."""
        topics = sorted(facts.get("partitions") or {})
        if not topics or not facts.get(BROKER):
            raise ConfigurationError(
                f"the messages of stream {stream!r} can't be counted: its watermark does not name its topics and the"
                " connection of their broker yet; run it once before"
            )
        return cls(
            conn_id=str(given["source_conn_id"]),
            broker_conn_id=str(facts[BROKER]),
            topics=topics,
            table="",
            partitions=facts.get(PARTITIONS),
            name=stream,
        )

    @property
    def begins_now(self) -> bool:
        """See `SourceSpec.begins_now`."""
        return bool(self.first_run == "now")

    def check(self, *, rendered: bool) -> None:
        """See `SourceSpec.check`; the error lists all that is wrong."""
        check_sink(self, rendered=rendered)

    def resolved(self) -> Self:
        """See `SourceSpec.resolved`."""
        self.check(rendered=True)
        return replace(self, topics=self.listed)

    def replaying(self) -> Self:
        """Return the arguments of a replay, which goes into `replay_table` if that is set."""
        return self if self.replay_table is None else replace(self, table=self.replay_table, replay_table=None)

    @property
    def replayable(self) -> bool:
        """Whether older messages can be applied beside the live stream, without undoing newer ones."""
        appended = self.mode == "append" and "event_id" in (self.metadata_columns or ())
        return self.replay_table is not None or self.version_column is not None or appended

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:  # noqa: ARG002  a function of the arguments
        """See `SourceSpec.stream`."""
        topics = "+".join(map(str, self.listed))
        source, type_ = path_of(self.conn_id, self.table), f"{self.conn_id}.{self.table}.applied"
        return Stream(self._stream_name(topics), topics, source, type_)

    def _stream_name(self, topics: str) -> str:
        if self.name:
            return self.name
        part = "" if self.partitions is None else _numbers(self.partitions)
        return f"{topics}@{self.conn_id}.{self.table}{part}"

    def stream_name(self, topic: str | None) -> str | None:  # noqa: ARG002
        """See `SourceSpec.stream_name`."""
        return self.stream("", "", "").name

    def naming(self, topic: Any = None) -> Mapping[str, Any]:  # noqa: ARG002
        """See `SourceSpec.naming`."""
        if self.name:
            return {"stream": self.name}
        part = {} if self.partitions is None else {"partitions": _numbers(self.partitions)}
        return {
            "target_conn_id": self.conn_id,
            "table": str(self.table),
            "topics": "+".join(map(str, self.listed)),
            **part,
        }

    def fixed_topics(self, topic: str) -> tuple[str, ...]:  # noqa: ARG002
        """See `SourceSpec.fixed_topics`: nothing is sent but dead letters."""
        return ()

    def lock_of(self, database: Database) -> str | None:  # noqa: ARG002
        """See `SourceSpec.lock_of`."""
        return None

    def source(self, database: Database, *, stream: Stream, limits: Limits, log: logging.Logger) -> Source:  # noqa: ARG002
        """See `SourceSpec.source`; its reader ends with it."""
        from airflow_legacy_events.hooks.broker import EventBrokerHook  # noqa: PLC0415  only to connect
        from airflow_legacy_events.streams.sink_source import SinkSource  # noqa: PLC0415

        return SinkSource(
            reader=EventBrokerHook(self.broker_conn_id).get_reader(log=log),
            closes_reader=True,
            topics=self.listed,
            stream=stream.name,
            partitions=self.partitions,
            first_run=self.first_run,
            on_gap=self.on_gap,
            limits=limits,
            log=log,
        )


def _numbers(partitions: Any) -> str:
    if isinstance(partitions, str) or not isinstance(partitions, Sequence):
        return f"[{partitions}]"
    return f"[{','.join(map(str, partitions))}]"
