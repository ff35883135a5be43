"""Config of Debezium's JDBC sink connector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.connect.builders import checks
from airflow_legacy_events.connect.placeholders import placeholder
from airflow_legacy_events.core.errors import ConfigurationError

JDBC_SINK = "io.debezium.connector.jdbc.JdbcSinkConnector"

_JSON = "org.apache.kafka.connect.json.JsonConverter"
_INSERT_MODES = ("insert", "upsert", "update")
_KEYS = ("record_key", "record_value", "record_header", "kafka", "none")
_EVOLUTIONS = ("none", "basic")


def jdbc_sink(  # noqa: PLR0913  the properties that nearly every sink needs
    *,
    target_conn_id: str,
    topics: Sequence[str],
    table: str | None = None,
    key: str = "record_key",
    insert_mode: str = "upsert",
    delete: bool = True,
    schema_evolution: str = "none",
    quote_identifiers: bool = True,
    password: str | None = None,
    properties: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the config of a connector that writes topics into tables, as plain data without secrets.

    Args:
        target_conn_id: Airflow connection of the database, as the Connect worker reaches it.
        topics: that are written; each message must hold its schema.
        table: that they are written to; `${topic}` in it is the topic. A name with blanks is in double quotes, as in
            `public."Order Lines"`. None: the table that is called like the topic, with `_` for its dots.
        key: where the primary key is: `record_key`, `record_value`, `record_header`, `kafka` or `none`.
        insert_mode: `insert`, `upsert` or `update`.
        delete: whether a tombstone deletes its row; needs `key="record_key"`.
        schema_evolution: `none`, or `basic`: the connector creates tables and adds columns.
        quote_identifiers: whether names of tables and columns are those of topic and fields to the letter. False: the
            connector turns them into lower case, or into upper case on Oracle and Db2.
        password: see `debezium_source`.
        properties: see `debezium_source`.

    Raises:
        ConfigurationError: an argument is wrong, or a converter drops the schema, without which nothing can be written.
    """
    _choice("insert_mode", insert_mode, _INSERT_MODES)
    _choice("key", key, _KEYS)
    _choice("schema_evolution", schema_evolution, _EVOLUTIONS)
    _choice("quote_identifiers", quote_identifiers, (True, False))
    if delete and key != "record_key":
        raise ConfigurationError(f"delete=True needs key='record_key': a tombstone has nothing else; found {key!r}")
    config = {
        "connector.class": JDBC_SINK,
        "tasks.max": "1",
        "topics": ",".join(checks.names("topics", topics, 1, "shop.orders")),
        "connection.url": placeholder(target_conn_id, "jdbc_url"),
        "connection.username": placeholder(target_conn_id, "login"),
        "connection.password": checks.secret(password, placeholder(target_conn_id, "password")),
        "insert.mode": insert_mode,
        "delete.enabled": checks.text(delete),
        "primary.key.mode": key,
        "schema.evolution": schema_evolution,
        "quote.identifiers": checks.text(quote_identifiers),
        "key.converter": _JSON,
        "key.converter.schemas.enable": "true",
        "value.converter": _JSON,
        "value.converter.schemas.enable": "true",
    }
    if table is not None:
        config["collection.name.format"] = table
    found = checks.overridden(config, properties)
    refuse_unwritable(found)
    return found


def refuse_unwritable(config: Mapping[str, str]) -> None:
    """Check what Connect's validation lets through: the insert mode, and converters that drop the schema.

    Raises:
        ConfigurationError: names the property.
    """
    _choice("insert.mode", config.get("insert.mode", "insert").lower(), _INSERT_MODES)
    for side in ("key", "value"):
        converter = config.get(f"{side}.converter", "")
        schemaless = config.get(f"{side}.converter.schemas.enable", "true").lower() == "false"
        if side == "key" and config.get("primary.key.mode", "none") != "record_key":
            continue
        if (converter == _JSON and schemaless) or converter.endswith((".StringConverter", ".ByteArrayConverter")):
            raise ConfigurationError(
                f"{side}.converter must keep the schema, else the JDBC sink can't write a row: use JsonConverter"
                f" with {side}.converter.schemas.enable=true, on the source too (schemas=True), or a schema registry"
            )


def _choice(argument: str, found: Any, choices: tuple[Any, ...]) -> None:
    if found not in choices:
        raise ConfigurationError(f"{argument}= must be one of {', '.join(map(repr, choices))}; found {found!r}")
