"""Watermarks of sinks, as a person sees and moves them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.specs.base import NO_FACTS

BROKER, PARTITIONS = "broker", "read"
"""Facts: the connection of the topics, and the numbers of the partitions that are read, None for all."""

_ACCEPTED = ("server", "object", "topic")


class TopicWatermark:
    """What may be done with the watermark of a sink: positions in topics, kept beside the rows."""

    @classmethod
    def check_facts(cls, stream: str, facts: Mapping[str, Any]) -> None:
        """See `SourceSpec.check_facts`."""
        from airflow_legacy_events.sources.topic.facts import check_topic_facts  # noqa: PLC0415  only for commands

        check_topic_facts(stream, facts)

    @classmethod
    def check_move(cls, stream: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        """See `SourceSpec.check_move`."""

    @classmethod
    def check_accept(cls, stream: str, accepted: Collection[str]) -> None:
        """See `SourceSpec.check_accept`."""
        if others := [one for one in accepted if one not in _ACCEPTED]:
            raise ConfigurationError(
                f"--accept {others[0]} has no meaning for stream {stream!r}, which applies a topic; its watermark was"
                f" left as it is. It takes {', '.join(_ACCEPTED)}"
            )

    def check_wait(self) -> None:
        """See `SourceSpec.check_wait`."""
