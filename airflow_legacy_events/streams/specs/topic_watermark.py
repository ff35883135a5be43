"""Watermarks of sinks, as a person sees and moves them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
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

    @classmethod
    def set_to(cls, stream: str, old: Watermark, values: Sequence[str], *, whole: bool) -> Watermark:
        """See `MovesPositions.set_to`."""
        from airflow_legacy_events.streams.specs.topic_moves import set_to  # noqa: PLC0415  only for commands

        return set_to(stream, old, values, whole=whole)

    @classmethod
    def rewound(cls, stream: str, mark: Watermark | None, to: str | None, by: str | None) -> Watermark:
        """See `MovesPositions.rewound`."""
        from airflow_legacy_events.streams.specs.topic_moves import rewound  # noqa: PLC0415  only for commands

        return rewound(stream, mark, to, by, dt.datetime.now(dt.UTC))

    def check_wait(self) -> None:
        """See `SourceSpec.check_wait`."""
