"""Config of a Debezium source connector with its outbox event router."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.connect.builders import checks
from airflow_legacy_events.connect.builders.kinds import kind_of
from airflow_legacy_events.connect.builders.routes import topic_pattern
from airflow_legacy_events.connect.builders.source import debezium_source
from airflow_legacy_events.core.errors import ConfigurationError

_TEXT = "org.apache.kafka.connect.storage.StringConverter"
_COLUMNS = {
    "id": "id",
    "aggregate_type": "aggregatetype",
    "aggregate_id": "aggregateid",
    "event_type": "type",
    "payload": "payload",
}
_OPTIONAL = ("timestamp",)
_LEFT_OUT = re.compile(r"(key|value)\.converter|notification\.")
_MATCHES = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"


def outbox_source(  # noqa: PLR0913  the properties that nearly every outbox needs
    connector: str = "postgres",
    *,
    source_conn_id: str,
    topic_prefix: str,
    table: str,
    topic: str = "outbox.event.${routedByValue}",
    columns: Mapping[str, str] | None = None,
    slot_name: str | None = None,
    publication_name: str | None = None,
    password: str | None = None,
    signal_table: str | None = None,
    broker_conn_id: str = "kafka_default",
    properties: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the config of a connector that routes the rows of an outbox table, as plain data without secrets.

    The payload is sent byte for byte, as the text that the application wrote: it is neither parsed nor expanded.

    Args:
        connector: as in `debezium_source`, but for MongoDB.
        source_conn_id: see `debezium_source`.
        topic_prefix: see `debezium_source`.
        table: the outbox, such as `public.outbox`.
        topic: of the events; `${routedByValue}` is the aggregate type.
        columns: names of columns that differ from Debezium's, by `id`, `aggregate_type`, `aggregate_id`, `event_type`,
            `payload` or `timestamp`.
        slot_name: see `debezium_source`.
        publication_name: see `debezium_source`.
        password: see `debezium_source`.
        signal_table: see `debezium_source`; on MariaDB and MySQL `ConnectorCaughtUpSensor` writes into it. There are no
            notifications: they would be sent as texts that are not JSON.
        broker_conn_id: see `debezium_source`.
        properties: see `debezium_source`.

    Raises:
        ConfigurationError: an argument is wrong.
    """
    if connector == "mongodb":
        raise ConfigurationError("connector='mongodb' has no outbox table: its event router reads a collection")
    named = _named(columns)
    source = debezium_source(
        connector,
        source_conn_id=source_conn_id,
        topic_prefix=topic_prefix,
        tables=[table],
        slot_name=slot_name,
        publication_name=publication_name,
        password=password,
        signal_table=signal_table,
        broker_conn_id=broker_conn_id,
    )
    kind = kind_of(connector)
    config = {
        **{name: value for name, value in source.items() if _LEFT_OUT.match(name) is None},
        **({"include.schema.changes": "false"} if kind.history else {}),
        "key.converter": _TEXT,
        "value.converter": _TEXT,
        "tombstones.on.delete": "false",
        **_router(named, topic),
        **_only(topic_pattern(topic_prefix, table, kind.between)),
    }
    return checks.overridden(config, properties)


def _named(columns: Mapping[str, str] | None) -> dict[str, str]:
    if unknown := sorted(set(columns or {}) - set(_COLUMNS) - set(_OPTIONAL)):
        raise ConfigurationError(
            f"columns= names {', '.join(map(repr, unknown))}, which an outbox has not. Known are"
            f" {', '.join((*_COLUMNS, *_OPTIONAL))}"
        )
    return {**_COLUMNS, **(columns or {})}


def _router(columns: Mapping[str, str], topic: str) -> dict[str, str]:
    router = {
        "type": "io.debezium.transforms.outbox.EventRouter",
        "table.field.event.id": columns["id"],
        "table.field.event.key": columns["aggregate_id"],
        "table.field.event.type": columns["event_type"],
        "table.field.event.payload": columns["payload"],
        "table.fields.additional.placement": f"{columns['event_type']}:header:eventType",
        "route.by.field": columns["aggregate_type"],
        "route.topic.replacement": topic,
    }
    if "timestamp" in columns:
        router["table.field.event.timestamp"] = columns["timestamp"]
    return {"transforms": "outbox", **{f"transforms.outbox.{name}": value for name, value in router.items()}}


def _only(pattern: str) -> dict[str, str]:
    """Let the router see the rows of the outbox alone: one of a signal table has none of the columns that it needs."""
    found = {"predicates": "outbox", "predicates.outbox.type": _MATCHES, "predicates.outbox.pattern": pattern}
    return {**found, "transforms.outbox.predicate": "outbox"}
