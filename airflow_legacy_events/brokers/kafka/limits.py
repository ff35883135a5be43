"""Topic limits: what a topic accepts and retains, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.brokers.kafka.config import MAX_MESSAGE_BYTES

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default of `max.message.bytes`."""

ANY = 2**63 - 1
"""Kafka's value for a time without a bound."""


class TopicLimits(NamedTuple):
    """What a topic accepts and retains. Unknown limits are unbounded, so the broker decides.

    Attributes:
        max_bytes: of a record batch.
        before_ms: how far the time of a message may lie in the past.
        after_ms: how far it may lie in the future.
        retention_ms: older messages are deleted.
        compacted: whether it refuses messages without a key.
    """

    max_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    before_ms: int = ANY
    after_ms: int = ANY
    retention_ms: int = ANY
    compacted: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TopicLimits:
        """Read the limits from a topic's configuration; messages of a topic with `LogAppendTime` get the broker's time.

        Raises:
            KeyError, ValueError: it has no `max.message.bytes`, or a number is invalid.
        """
        max_bytes = min(int(config["max.message.bytes"].value), MAX_MESSAGE_BYTES)
        policies = _text(config, "cleanup.policy").split(",")
        if _text(config, "message.timestamp.type") == "LogAppendTime":
            return cls(max_bytes, compacted="compact" in policies)
        # Brokers 3.6 to 3.9 have all three settings; the older one applies where the newer ones are not set.
        either = _number(config, "message.timestamp.difference.max.ms")
        before, after = (_number(config, f"message.timestamp.{side}.max.ms") for side in ("before", "after"))
        return cls(
            max_bytes,
            either if before == ANY else before,
            either if after == ANY else after,
            _number(config, "retention.ms") if "delete" in policies else ANY,
            compacted="compact" in policies,
        )


def _text(config: Mapping[str, Any], name: str) -> str:
    return str(config[name].value).replace(" ", "") if name in config else ""


def _number(config: Mapping[str, Any], name: str) -> int:
    """Return a time in milliseconds; a negative one is unbounded."""
    found = int(config[name].value) if name in config else ANY
    return found if found >= 0 else ANY
