"""From the settings of an Airflow connection to those of a producer that never loses a message silently."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError

# Settings that librdkafka knows for consumers only (CONFIGURATION.md, column C/P = C).
CONSUMER_ONLY = frozenset(
    {
        "auto.commit.enable",
        "auto.commit.interval.ms",
        "auto.offset.reset",
        "check.crcs",
        "consume.callback.max.messages",
        "consume_cb",
        "coordinator.query.interval.ms",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "fetch.error.backoff.ms",
        "fetch.max.bytes",
        "fetch.message.max.bytes",
        "fetch.min.bytes",
        "fetch.queue.backoff.ms",
        "fetch.wait.max.ms",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "group.protocol.type",
        "group.remote.assignor",
        "heartbeat.interval.ms",
        "isolation.level",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "offset.store.method",
        "offset.store.path",
        "offset.store.sync.interval.ms",
        "offset_commit_cb",
        "on_commit",
        "partition.assignment.strategy",
        "queued.max.messages.kbytes",
        "queued.min.messages",
        "rebalance_cb",
        "session.timeout.ms",
    }
)

# What delivery rests on. A connection that says otherwise is told so, and not obeyed.
_OURS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "delivery.report.only.error": True,
    "partitioner": "murmur2_random",
}
_ALIASES = {"request.required.acks": "acks", "delivery.timeout.ms": "message.timeout.ms"}
_NEVER = frozenset({"transactional.id", "transaction.timeout.ms", "dr_cb", "dr_msg_cb", "on_delivery"})
_SAME = {"all": "all", "-1": "all", "true": "true", "false": "false"}

MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES = 1_000, 1_000_000_000
"""librdkafka's own bounds of `message.max.bytes`."""


def client_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every client of the connection needs: no consumer settings, nothing of ours.

    Raises:
        ConfigurationError: no bootstrap servers.
    """
    if not config.get("bootstrap.servers") and not config.get("metadata.broker.list"):
        raise ConfigurationError(
            'the Kafka connection names no broker: put {"bootstrap.servers": "host:9092"} into its extra'
        )
    left_out = {*CONSUMER_ONLY, *_NEVER, *_OURS, *_ALIASES, "message.timeout.ms"}
    return {name: value for name, value in config.items() if name not in left_out}


def producer_settings(
    config: Mapping[str, Any], *, timeout_ms: int, smallest: int, largest: int, log: logging.Logger
) -> dict[str, Any]:
    """Return the producer's settings.

    Args:
        config: of the connection.
        timeout_ms: after so long an unacknowledged message fails.
        smallest: the smallest `max.message.bytes` of the topics: no record batch grows beyond it.
        largest: the largest: no message that a topic takes is refused by the client.
        log: gets one warning for each setting that is not obeyed.
    """
    ours = {**_OURS, "message.timeout.ms": timeout_ms}
    for name, value in config.items():
        known = _ALIASES.get(name, name)
        if name in _NEVER or (known in ours and _plain(value) != _plain(ours[known])):
            log.warning("the connection's %s is not used: %s is set by the delivery itself", name, known)
    settings = client_settings(config)
    settings.setdefault("compression.type", settings.pop("compression.codec", "lz4"))
    wished = int(settings.get("batch.size", MIN_MESSAGE_BYTES * 1_000))
    return {
        **settings,
        **ours,
        "batch.size": max(1, min(wished, smallest)),
        "message.max.bytes": min(max(largest, MIN_MESSAGE_BYTES), MAX_MESSAGE_BYTES),
    }


def _plain(value: Any) -> str:
    text = str(value).lower()
    return _SAME.get(text, text)


def without_values(text: str, config: Mapping[str, Any]) -> str:
    """Return `text` with every setting's value blotted out: one of them may be a password."""
    for name, value in config.items():
        if isinstance(value, str) and len(value) > 2 and name != "bootstrap.servers":  # noqa: PLR2004
            text = text.replace(value, "***")
    return text
