"""Settings of a reader: the connection's, without those of groups, and ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.brokers.kafka.clients import UNGROUPED
from airflow_legacy_events.brokers.kafka.config import CONSUMER_ONLY

OURS: dict[str, Any] = {
    **UNGROUPED,
    "auto.offset.reset": "error",  # any other one continues elsewhere without a word
    "allow.auto.create.topics": False,
    "group.id": "legacy-events-reader",
}
"""Settings that reading without loss depends on. A different value in the connection is ignored."""

_SHOWN = ("isolation.level", "auto.offset.reset", "enable.auto.commit")
_GROUPS = CONSUMER_ONLY & frozenset(
    {
        *("auto.commit.enable", "auto.commit.interval.ms", "consume.callback.max.messages", "consume_cb"),
        *("coordinator.query.interval.ms", "group.instance.id", "group.protocol", "group.protocol.type"),
        *("group.remote.assignor", "heartbeat.interval.ms", "max.poll.interval.ms", "offset.store.method"),
        *("offset.store.path", "offset.store.sync.interval.ms", "offset_commit_cb", "on_commit"),
        *("partition.assignment.strategy", "rebalance_cb", "session.timeout.ms"),
    }
)

# Read ahead of the batch in use; a fetch can hold several times its size once it is decompressed. With these, a million
# messages of 400 B added 60 MB, with librdkafka's own 190 MB.
_SIZES: dict[str, Any] = {
    "fetch.message.max.bytes": 256 * 1024,
    "fetch.max.bytes": 4 * 2**20,
    "queued.max.messages.kbytes": 8 * 1024,
    "fetch.queue.backoff.ms": 10,  # a full queue is empty again long before librdkafka's own 1 000 ms
    "fetch.wait.max.ms": 100,
    "receive.message.max.bytes": 2**31 - 1,  # a message is fetched whole, whatever the sizes above
}
_SAME = {"max.partition.fetch.bytes": "fetch.message.max.bytes"}


def reader_settings(config: Mapping[str, Any], log: logging.Logger) -> dict[str, Any]:
    """Return the settings of a reader's consumer besides those that every client of the connection has.

    Args:
        config: of the connection.
        log: gets one line for the settings that are ignored though they would change what is read.
    """
    flat = {**config, **(config.get("default.topic.config") or {})}
    own = {
        _SAME.get(name, name): value
        for name, value in flat.items()
        if name in CONSUMER_ONLY and name not in _GROUPS and name not in OURS
    }
    if ignored := [name for name in _SHOWN if name in flat and str(flat[name]).lower() != str(OURS[name]).lower()]:
        log.info("ignoring the connection's %s: the reader sets them itself", ", ".join(ignored))
    return {**_SIZES, **{name: flat[name] for name in _SIZES if name in flat}, **own, **OURS}
