"""Topic source of a sink: what the messages mean is compared with the topics once these are found."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_legacy_events.core.model import Opened, Span, Watermark, Window
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.sources.topic.facts import known_counts
from airflow_legacy_events.sources.topic.source import TopicSource


@dataclass(kw_only=True)
class SinkSource(TopicSource):
    """See `TopicSource`.

    Attributes:
        decoding: what messages mean, which may rule out several partitions; None where that is not known.
        closes_reader: whether the reader ends with the source.
    """

    decoding: Decoding | None = None
    closes_reader: bool = False

    def close(self) -> None:
        """See `TopicSource.close`."""
        super().close()
        if self.closes_reader:
            self.reader.close()

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        opened = super().open(at, window)
        if self.decoding is not None:
            self.decoding.check_partitions(known_counts(opened.horizon.facts))
        return opened
