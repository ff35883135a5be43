"""Logical messages that an application wrote into the log, as batches of outbox events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import HIDDEN, Batch, LogMessage
from airflow_legacy_events.sources.changelog.outbox_json import MEMBERS, NoEventError, values_of
from airflow_legacy_events.sources.changelog.shapes import NUMBER, PLACE

_KINDS = {"timestamp": Kind.INTEGER}
_EVENT = (
    *(Column(name, _KINDS.get(role, Kind.TEXT), "json", nullable=True) for role, name in MEMBERS.items()),
    Column("prefix", Kind.TEXT, "text", nullable=False),
)
_FAULT = tuple(Column(name, Kind.TEXT, "text", nullable=False) for name in ("content", "fault", "prefix"))


class _Read(NamedTuple):
    """A message: the shape of its row, and the row."""

    shape: Shape
    row: tuple[Any, ...]


class LogicalMessages:
    """Turns logical messages into outbox events.

    A row of an event has the roles of an outbox (`sources.roles`) and `prefix`. A message that is none becomes a row of
    the roles `content`, `fault` and `prefix`, for the envelope to refuse.

    Args:
        topics: template of the topic by prefix.
        timezone: of timestamps without an offset.
    """

    def __init__(self, topics: Mapping[str, str], timezone: str) -> None:
        self._timezone = timezone
        self._events = {prefix: _event_shape(topic) for prefix, topic in topics.items()}
        self._fault = _shape(_FAULT, {one.name: at for at, one in enumerate(_FAULT)}, data=(0,), key=())
        self._topics = topics

    def topics_beside(self, tables: Mapping[str, str]) -> list[str]:
        """Return the topics that are known before a message is read.

        Args:
            tables: topic of each table.

        Raises:
            ConfigurationError: a table has the same topic.
        """
        found = [topic for topic in map(_fixed, self._topics.values()) if topic is not None]
        for name, topic in tables.items():
            if topic in found:
                raise ConfigurationError(
                    f"message_topics= and topic= give one topic, {topic!r}, to messages and to table {name!r}; nothing"
                    " was read. Give the messages a topic of their own"
                )
        return found

    def batches(self, messages: Iterable[LogMessage]) -> Iterator[Batch]:
        """Yield the batches of messages in their order, each without a watermark."""
        for shape, some in groupby(map(self._read, messages), lambda one: one.shape):
            rows = [one.row for one in some]
            yield Batch(shape, rows, len(rows), None, "c")

    def _read(self, message: LogMessage) -> _Read:
        try:
            values = values_of(message.content, self._timezone)
        except NoEventError as error:
            return _Read(self._fault, (message.content, error.why, message.prefix, *message.hidden))
        return _Read(self._events[message.prefix], (*values, message.prefix, *message.hidden))


def _event_shape(topic: str) -> Shape:
    roles = {role: at for at, role in enumerate((*MEMBERS, "prefix"))}
    return _shape(_EVENT, roles, data=(roles["payload"],), key=(roles["aggregate_id"],), topic=topic)


def _shape(
    columns: tuple[Column, ...],
    roles: Mapping[str, int],
    *,
    data: tuple[int, ...],
    key: tuple[int, ...],
    topic: str = "",
) -> Shape:
    return Shape(
        (*columns, *HIDDEN),
        data=data,
        key=key,
        watermark=(len(columns) + PLACE, len(columns) + NUMBER),
        group=tuple(roles[role] for role in ("aggregate_type", "aggregate_id") if role in roles),
        roles=roles,
        numbered=True,
        stream={"topic": topic} if topic else {},
    )


def _fixed(template: str) -> str | None:
    """Return the topic of a template that names nothing of a message; else None."""
    parts = templates.parse(template, "message_topics=")
    return None if templates.columns_of(parts) else "".join(str(part) for part in parts)
