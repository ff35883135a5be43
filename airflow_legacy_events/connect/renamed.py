"""Keys that Debezium renamed or that its connectors know beside those that `validate` lists."""

from __future__ import annotations

from collections.abc import Mapping

_RENAMED = {
    "database.server.name": "topic.prefix",
    "mongodb.name": "topic.prefix",
    "mongodb.hosts": "mongodb.connection.string",
    "table.whitelist": "table.include.list",
    "table.blacklist": "table.exclude.list",
    "schema.whitelist": "schema.include.list",
    "schema.blacklist": "schema.exclude.list",
    "database.whitelist": "database.include.list",
    "database.blacklist": "database.exclude.list",
    "collection.whitelist": "collection.include.list",
    "collection.blacklist": "collection.exclude.list",
    "column.whitelist": "column.include.list",
    "column.blacklist": "column.exclude.list",
    "field.blacklist": "field.exclude.list",
    "database.history": "schema.history.internal",
    "database.history.store.only.monitored.tables.ddl": "schema.history.internal.store.only.captured.tables.ddl",
    "slot.drop_on_stop": "slot.drop.on.stop",
    "event.deserialization.failure.handling.mode": "event.processing.failure.handling.mode",
    "toasted.value.placeholder": "unavailable.value.placeholder",
    "sanitize.field.names": "field.name.adjustment.mode",
    "heartbeat.topics.prefix": "topic.heartbeat.prefix",
    "transaction.topic": "topic.transaction",
    "xmin.fetch.interval": "xmin.fetch.interval.ms",
}
_RENAMED_PREFIXES = {"database.history.": "schema.history.internal."}

UNLISTED = (
    *("topic.delimiter", "topic.cache.size", "topic.transaction", "topic.heartbeat.prefix"),
    *("signal.kafka.topic", "signal.kafka.bootstrap.servers", "signal.kafka.groupId", "signal.file"),
    *("signal.kafka.poll.timeout.ms", "notification.sink.topic.name", "field.name.adjustment.mode"),
    *("schema.history.internal.kafka.topic", "schema.history.internal.kafka.bootstrap.servers"),
    *("incremental.snapshot.allow.schema.changes", "read.only", "transaction.metadata.factory"),
)
"""Keys that Debezium's connectors read, but that `validate` does not list for each of them."""

PASSED_ON = (
    *("driver.", "signal.kafka.", "signal.consumer.", "topic.creation.", "schema.history.internal."),
    *("producer.override.", "consumer.override.", "admin.override.", "hibernate.", "internal."),
    *("key.converter.", "value.converter.", "header.converter.", "snapshot.select.statement.overrides."),
    *("errors.deadletterqueue.", "predicates.", "cloud.events.", "custom.metric."),
)
"""Prefixes behind which anything may stand: it is passed on to a client, a driver or a converter."""


def renamed(key: str) -> str | None:
    """Return today's name of a key that Debezium renamed; None for any other."""
    if (name := _RENAMED.get(key)) is not None:
        return name
    for old, new in _RENAMED_PREFIXES.items():
        if key.startswith(old):
            return new + key[len(old) :]
    return None


def named_prefixes(config: Mapping[str, str]) -> tuple[str, ...]:
    """Return the prefixes that a config itself introduces, by naming converters and post processors."""
    lists = ("converters", "post.processors")
    return tuple(f"{one.strip()}." for key in lists for one in config.get(key, "").split(",") if one.strip())
