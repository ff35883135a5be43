"""What the sensors share that wait for a stream which the operator's arguments name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from airflow_legacy_events.sensors._stream import StreamSensor
from airflow_legacy_events.triggers.probe import Watch


class RowStreamSensor(StreamSensor):
    """Base of the sensors whose streams are named; a subclass does as ``StreamSensor`` says.

    :param topic: as the operator's; names the stream where its source does not. (templated)
    :param stream: the operator's stream, where it does not follow from ``topic``. (templated)
    """

    template_fields: Collection[str] = ("topic", "stream", *StreamSensor.template_fields)

    def __init__(self, *, topic: str | None = None, stream: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.stream = stream

    def _watch(self) -> Watch:
        return replace(super()._watch(), topic=self.topic)
