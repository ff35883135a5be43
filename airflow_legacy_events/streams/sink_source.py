"""Topic source of a sink: what the messages mean is compared with the topics once these are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airflow_legacy_events.core.model import Opened, Span, Watermark, Window
from airflow_legacy_events.sources.topic.facts import known_counts
from airflow_legacy_events.sources.topic.source import TopicSource


def _any(counts: Mapping[str, int]) -> None:
    """Accept any number of partitions."""


@dataclass(kw_only=True)
class SinkSource(TopicSource):
    """See `TopicSource`.

    Attributes:
        check_partitions: checks the number of partitions by topic; raises ConfigurationError.
        closes_reader: whether the reader ends with the source.
    """

    check_partitions: Callable[[Mapping[str, int]], None] = _any
    closes_reader: bool = False

    def close(self) -> None:
        """See `TopicSource.close`."""
        super().close()
        if self.closes_reader:
            self.reader.close()

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        opened = super().open(at, window)
        self.check_partitions(known_counts(opened.horizon.facts))
        return opened
