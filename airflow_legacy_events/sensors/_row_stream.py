"""Shared base of the sensors that wait for a stream named by the operator's arguments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from airflow_legacy_events.sensors._stream import StreamSensor
from airflow_legacy_events.triggers.probe import Watch


class RowStreamSensor(StreamSensor):
    """Base of the sensors with named streams; a subclass follows the contract of ``StreamSensor``.

    :param topic: as the operator's; part of the stream's name unless the source determines that name. (templated)
    :param stream: the operator's stream, if its name does not follow from ``topic``. (templated)
    """

    template_fields: Collection[str] = ("topic", "stream", *StreamSensor.template_fields)

    def __init__(self, *, topic: str | None = None, stream: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.stream = stream

    def _watch(self) -> Watch:
        return replace(super()._watch(), topic=self.topic)
