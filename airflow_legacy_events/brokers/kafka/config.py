"""Producer settings: the connection's, plus those required for delivery without loss."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

from airflow_legacy_events.brokers.kafka.addresses import first_broker
from airflow_legacy_events.brokers.kafka.secrets import Hider
from airflow_legacy_events.core.errors import ConfigurationError

# Settings for consumers only in librdkafka (CONFIGURATION.md, column C/P = C).
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

# Delivery depends on these. A different value in the connection is ignored with a warning.
_OURS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "delivery.report.only.error": True,
    "partitioner": "murmur2_random",
    "allow.auto.create.topics": False,  # a topic deleted meanwhile must not reappear with other settings
}
_SIZED = ("message.timeout.ms", "message.max.bytes")
_NEVER = frozenset({"transactional.id", "transaction.timeout.ms", "dr_cb", "dr_msg_cb", "on_delivery"})
_ALIASES = {
    "metadata.broker.list": "bootstrap.servers",
    "request.required.acks": "acks",
    "delivery.timeout.ms": "message.timeout.ms",
    "compression.codec": "compression.type",
    "queue.buffering.max.ms": "linger.ms",
    "message.send.max.retries": "retries",
    "max.in.flight": "max.in.flight.requests.per.connection",
    "sasl.mechanism": "sasl.mechanisms",
}
_SAME = {"-1": "all", "1": "true", "t": "true", "0": "false", "f": "false"}

_MAX_MILLISECONDS = 2_147_483_647
_LINGER_MILLISECONDS = 100
MAX_MESSAGE_BYTES = 1_000_000_000
"""Upper bound of `message.max.bytes` in librdkafka."""


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection's settings without aliases and without those of consumers.

    Raises:
        ConfigurationError: no bootstrap servers.
    """
    flat = {**config, **(config.get("default.topic.config") or {})}
    flat.pop("default.topic.config", None)
    known = {_ALIASES.get(name, name): value for name, value in flat.items() if name not in CONSUMER_ONLY}
    if not first_broker(str(known.get("bootstrap.servers") or "")):
        raise ConfigurationError(
            'the Kafka connection names no broker: put {"bootstrap.servers": "host:9092"} into its extra'
        )
    return known


def client_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that every client of the connection shares: none of ours, none for transactions."""
    left_out = {*_NEVER, *_OURS, *_SIZED}
    return {name: value for name, value in normalised(config).items() if name not in left_out}


def producer_settings(
    config: Mapping[str, Any], *, timeout_ms: int, smallest: int, log: logging.Logger
) -> dict[str, Any]:
    """Return the producer's settings.

    Args:
        config: of the connection.
        timeout_ms: after which an unacknowledged message fails, in milliseconds.
        smallest: the smallest `max.message.bytes` of the topics; no record batch grows beyond it.
        log: gets one warning for each setting that is ignored.
    """
    ours = {
        **_OURS,
        "message.timeout.ms": min(max(1, timeout_ms), _MAX_MILLISECONDS),
        "message.max.bytes": MAX_MESSAGE_BYTES,  # the topic's own limit is checked before sending
    }
    settings = client_settings(config)
    # Compared with none, 430 B a message on a real broker: client CPU the same (2.0-3.0 s/M), the broker's about
    # halved.
    settings.setdefault("compression.type", "lz4")
    # Nothing waits for linger, since every batch is flushed. At librdkafka's 5 ms its thread busy-loops during a
    # request (one at a time and partition with idempotence), 0.2-0.6 CPU s/M.
    settings.setdefault("linger.ms", min(_LINGER_MILLISECONDS, ours["message.timeout.ms"] // 2))
    try:
        batch_size = int(settings.get("batch.size", 1_000_000))
    except (TypeError, ValueError) as error:
        raise ConfigurationError("the Kafka connection's batch.size must be a number of bytes") from error
    if batch_size > smallest and "batch.size" in settings:
        log.warning("ignoring the connection's batch.size: a topic allows record batches of only %d bytes", smallest)
    for name, value in normalised(config).items():
        if name in _NEVER or (name in ours and _plain(value) != _plain(ours[name])):
            log.warning("ignoring the connection's %s: the delivery sets it", name)
    return {**settings, **ours, "batch.size": max(1, min(batch_size, smallest))}


def refusal(error: Exception, config: Mapping[str, Any]) -> ConfigurationError:
    """Return the error for settings that librdkafka refuses; it names the setting and holds no secret."""
    found = error.args[0]
    text = Hider(normalised(config))(str(found.str() if isinstance(found, KafkaError) else found))
    pairs = [*_ALIASES.items(), *((name, alias) for alias, name in _ALIASES.items())]
    also = ", ".join(other for name, other in pairs if f'"{name}"' in text)
    return ConfigurationError(
        f"a setting of the Kafka connection is refused: {text}{f' (also called {also})' if also else ''}."
        " Nothing was read; correct its extra"
    )


def _plain(value: Any) -> str:
    text = str(value).lower()
    return _SAME.get(text, text)
