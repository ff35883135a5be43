"""Pre-send checks: messages that their topic would refuse."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.brokers.kafka.limits import DEFAULT_MAX_MESSAGE_BYTES, TopicLimits
from airflow_legacy_events.brokers.kafka.refusals import INVALID, TOO_LARGE, UNKNOWN, Refusal
from airflow_legacy_events.brokers.kafka.sizes import too_large
from airflow_legacy_events.core.model import Messages


def beyond_size(messages: Messages, limits: Mapping[str, TopicLimits]) -> dict[int, Refusal]:
    """Return why messages are too large for their topic, by index."""
    smallest = min((one.max_bytes for one in limits.values()), default=DEFAULT_MAX_MESSAGE_BYTES)

    def limit_of(at: int) -> int:
        return limits.get(messages.topic_of(at), TopicLimits()).max_bytes

    return {
        at: Refusal(TOO_LARGE, f"{size} bytes as a record batch of its own, the topic allows {limit_of(at)}")
        for at, size in too_large(messages, smallest, limit_of)
    }


def without_key(messages: Messages, limits: Mapping[str, TopicLimits]) -> dict[int, Refusal]:
    """Return which messages lack the key that their topic requires, by index."""
    compacted = {name for name, one in limits.items() if one.compacted}
    if not compacted or None not in messages.keys:
        return {}
    return {
        at: Refusal(INVALID, f"it has no key, and topic {messages.topic_of(at)!r} is compacted")
        for at, key in enumerate(messages.keys)
        if key is None and messages.topic_of(at) in compacted
    }


def without_partition(messages: Messages, counts: Mapping[str, int]) -> dict[int, Refusal]:
    """Return which messages name a partition that their topic does not have, by index.

    Args:
        messages: of one batch.
        counts: number of partitions by topic; topics left out are not checked.
    """
    numbers = [number for number in messages.partitions or () if number is not None]
    if not numbers or (min(numbers) >= 0 and max(numbers) < min(counts.values(), default=0)):
        return {}
    found = {}
    for at, number in enumerate(messages.partitions or ()):
        name = messages.topic_of(at)
        if number is not None and name in counts and not 0 <= number < counts[name]:
            found[at] = Refusal(UNKNOWN, f"partition {number} of topic {name!r}, which has {counts[name]}")
    return found
