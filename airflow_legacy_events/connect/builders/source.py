"""Config of a Debezium source connector: login, names, and values that keep every digit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.connect.builders import checks
from airflow_legacy_events.connect.builders.kinds import Kind, kind_of
from airflow_legacy_events.connect.builders.routes import routes
from airflow_legacy_events.connect.placeholders import placeholder
from airflow_legacy_events.core.errors import ConfigurationError

_JSON = "org.apache.kafka.connect.json.JsonConverter"
_EXACT = {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "binary.handling.mode": "base64",
}
_SPECIAL = re.compile(r"([^\w.])")


def debezium_source(  # noqa: PLR0913  the properties that nearly every connector needs
    connector: str = "postgres",
    *,
    source_conn_id: str,
    topic_prefix: str,
    tables: Sequence[str],
    topics: Mapping[str, str] | str | None = None,
    slot_name: str | None = None,
    publication_name: str | None = None,
    password: str | None = None,
    signal_table: str | None = None,
    notification_topic: str | None = None,
    heartbeat: dt.timedelta = dt.timedelta(seconds=10),
    topic_partitions: int | None = None,
    topic_config: Mapping[str, Any] | None = None,
    broker_conn_id: str = "kafka_default",
    schemas: bool = False,
    properties: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the config of a Debezium source connector, as plain data without secrets.

    Host, port, login, database and password are placeholders of the Airflow connection, filled in when the config is
    applied. Decimals and times are texts, and bytes are base64, so that no converter rounds or shifts a value.

    Args:
        connector: `postgres`, `mariadb`, `mysql`, `sqlserver`, `oracle`, `db2` or `mongodb`.
        source_conn_id: Airflow connection of the database, as the Connect worker reaches it.
        topic_prefix: begins every topic; slot, publication, schema history and server id are named after it.
        tables: that are captured, such as `public.orders`.
        topics: topic of each table, such as `{"public.orders": "shop.orders"}`, or a template such as `shop.{table}`;
            None: `<topic_prefix>.<table>`.
        slot_name: replication slot, on PostgreSQL.
        publication_name: on PostgreSQL; Debezium creates it for `tables`.
        password: a reference that the worker resolves, such as `${env:CRM_PASSWORD}`; None: that of the connection.
        signal_table: table for signals to the connector, captured too.
        notification_topic: topic of its notifications; None: `<topic_prefix>.notifications` if there is a signal table.
        heartbeat: how often the connector writes a heartbeat, which lets its position move while the tables rest.
        topic_partitions: of topics that the worker creates.
        topic_config: further settings of these topics, such as `{"cleanup.policy": "compact"}`.
        broker_conn_id: Airflow connection whose brokers hold the schema history, where one is needed.
        schemas: whether each message holds its schema, as a JDBC sink needs it; numbers and times are then Debezium's.
        properties: Connect's own; they have the last word, and None takes one out.

    Raises:
        ConfigurationError: an argument is wrong.
    """
    kind, begins = kind_of(connector), checks.prefix(topic_prefix)
    captured = checks.names("tables", tables, 2, kind.example)
    config = {
        "connector.class": kind.class_name,
        "tasks.max": "1",
        "topic.prefix": begins,
        **_login(connector, kind, source_conn_id, password),
        **_values(connector, schemas=schemas),
        **_included(connector, captured, signal_table),
        **_names(connector, kind, begins, slot_name, publication_name, broker_conn_id),
        **_signals(begins, signal_table, notification_topic),
        **_heartbeat(heartbeat),
        **_topics(topic_partitions, topic_config),
        **routes(topics, captured, begins, kind.between),
    }
    return checks.overridden(config, properties)


def _login(connector: str, kind: Kind, conn_id: str, password: str | None) -> dict[str, str]:
    secret = checks.secret(password, placeholder(conn_id, "password"))
    host, port, login = (placeholder(conn_id, field) for field in ("host", "port", "login"))
    if connector == "mongodb":
        address = f"mongodb://{host}:{port}/"
        return {"mongodb.connection.string": address, "mongodb.user": login, "mongodb.password": secret}
    found = {"database.hostname": host, "database.port": port, "database.user": login, "database.password": secret}
    return found | ({kind.database: placeholder(conn_id, "database")} if kind.database else {})


def _values(connector: str, *, schemas: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for side in ("key", "value"):
        found[f"{side}.converter"] = _JSON
        found[f"{side}.converter.schemas.enable"] = checks.text(schemas)
    if schemas or connector == "mongodb":
        return found
    if connector in ("mariadb", "mysql"):  # the alternative is a signed number
        found |= {"bigint.unsigned.handling.mode": "precise", "value.converter.decimal.format": "NUMERIC"}
        found |= {"key.converter.decimal.format": "NUMERIC"}
    return found | _EXACT | ({"interval.handling.mode": "string"} if connector == "postgres" else {})


def _included(connector: str, tables: Sequence[str], signal_table: str | None) -> dict[str, str]:
    captured = tables if signal_table is None or signal_table in tables else (*tables, signal_table)
    listed = ",".join(_SPECIAL.sub(r"\\\1", one) for one in captured)
    if connector == "mongodb":
        return {"collection.include.list": listed}
    if connector not in ("mariadb", "mysql"):
        return {"table.include.list": listed}
    databases = dict.fromkeys(_SPECIAL.sub(r"\\\1", one.split(".")[0]) for one in captured)
    return {"database.include.list": ",".join(databases), "table.include.list": listed}


def _names(
    connector: str, kind: Kind, begins: str, slot: str | None, publication: str | None, broker_conn_id: str
) -> dict[str, str]:
    if connector != "postgres" and (slot is not None or publication is not None):
        raise ConfigurationError(f"slot_name= and publication_name= are PostgreSQL's, and connector= is {connector!r}")
    found: dict[str, str] = {}
    if connector == "postgres":
        found |= {
            "plugin.name": "pgoutput",
            "slot.name": slot or checks.identifier(begins),
            "publication.name": publication or checks.identifier(begins),
            "publication.autocreate.mode": "filtered",
        }
    if kind.numbered:
        found["database.server.id"] = checks.server_id(begins)
    if kind.history:
        found["schema.history.internal.kafka.topic"] = f"{begins}.schema-history"
        found["schema.history.internal.kafka.bootstrap.servers"] = placeholder(broker_conn_id, "bootstrap_servers")
    return found


def _signals(begins: str, signal_table: str | None, notification_topic: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if signal_table is not None:
        found |= {"signal.enabled.channels": "source", "signal.data.collection": signal_table}
    if signal_table is not None or notification_topic is not None:
        topic = notification_topic or f"{begins}.notifications"
        found |= {"notification.enabled.channels": "sink", "notification.sink.topic.name": topic}
    return found


def _heartbeat(every: dt.timedelta) -> dict[str, str]:
    if not isinstance(every, dt.timedelta) or every < dt.timedelta(0):
        raise ConfigurationError(f"heartbeat= must be a timedelta, 0 or more; found {every!r}")
    return {"heartbeat.interval.ms": str(int(every.total_seconds() * 1_000))}


def _topics(partitions: int | None, config: Mapping[str, Any] | None) -> dict[str, str]:
    if partitions is None and not config:
        return {}
    if partitions is not None and (type(partitions) is not int or partitions < 1):
        raise ConfigurationError(f"topic_partitions= must be a whole number above 0; found {partitions!r}")
    found = {"topic.creation.default.replication.factor": "-1"}
    found["topic.creation.default.partitions"] = str(-1 if partitions is None else partitions)
    return found | {f"topic.creation.default.{name}": checks.text(value) for name, value in (config or {}).items()}
