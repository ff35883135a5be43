"""Message times, checked against the worker's clock before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from airflow_legacy_events.brokers.kafka.limits import ANY, TopicLimits
from airflow_legacy_events.brokers.kafka.refusals import Refusal
from airflow_legacy_events.core.dead_letters import INVALID_TIMESTAMP
from airflow_legacy_events.core.model import Messages

MARGIN_MS = 5_000
"""Safety margin by which a bound is narrowed, but at most by a tenth. A message that the broker finds out of bounds
makes all others of its record batch be sent again. The margin covers clock differences and queueing delays."""

_FIRST = 1


def out_of_bounds(messages: Messages, limits: Mapping[str, TopicLimits], now_ms: int) -> dict[int, Refusal]:
    """Return why messages are refused for their time, by index.

    Args:
        messages: of one batch.
        limits: by topic; a topic left out has none.
        now_ms: milliseconds since 1970-01-01 UTC.
    """
    times = [time for time in messages.timestamps or () if time is not None]
    if not times:
        return {}
    bounds = {name: _bounds(one, now_ms) for name, one in limits.items()}
    earliest = max((low for low, _ in bounds.values()), default=_FIRST)
    latest = min((high for _, high in bounds.values()), default=ANY)
    if earliest <= min(times) and max(times) <= latest:
        return {}
    found = {}
    for at, time in enumerate(messages.timestamps or ()):
        topic = messages.topic_of(at)
        low, high = bounds.get(topic, (_FIRST, ANY))
        if time is not None and not low <= time <= high:
            found[at] = Refusal(INVALID_TIMESTAMP, _reason(topic, time, limits.get(topic, TopicLimits()), now_ms))
    return found


def past_retention(
    messages: Messages, limits: Mapping[str, TopicLimits], now_ms: int, without: AbstractSet[int]
) -> Mapping[str, int]:
    """Return how many messages are older than their topic's retention, by topic; those at `without` don't count."""
    times = [time for time in messages.timestamps or () if time is not None]
    shortest = min((one.retention_ms for one in limits.values()), default=ANY)
    if not times or min(times) >= now_ms - shortest:
        return {}
    return Counter(_old(messages, {name: now_ms - one.retention_ms for name, one in limits.items()}, without))


def _old(messages: Messages, oldest: Mapping[str, int], without: AbstractSet[int]) -> Iterator[str]:
    for at, time in enumerate(messages.timestamps or ()):
        topic = messages.topic_of(at)
        if time is not None and time < oldest.get(topic, 0) and at not in without:
            yield topic


def _bounds(limits: TopicLimits, now_ms: int) -> tuple[int, int]:
    before, after = (one - min(MARGIN_MS, one // 10) for one in (limits.before_ms, limits.after_ms))
    return max(_FIRST, now_ms - before), min(now_ms + after, ANY)


def _reason(topic: str, time: int, limits: TopicLimits, now_ms: int) -> str:
    if time < _FIRST:
        return "its timestamp is not after 1970-01-01 UTC"
    side, bound = ("after", limits.after_ms) if time > now_ms else ("before", limits.before_ms)
    where = "ahead" if side == "after" else "back"
    return (
        f"its timestamp is further {where} than topic {topic!r} allows: message.timestamp.{side}.max.ms is {bound}, and"
        " clocks differ by a few seconds"
    )
