"""Config of a connector as a user declares it, in the texts that Kafka Connect keeps."""

from __future__ import annotations

import json
import numbers
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError

NAME, CLASS = "name", "connector.class"


def read_config(config: Any, connector: str) -> dict[str, str]:
    """Return a declared config as the texts that Kafka Connect would keep; a value of None means absent.

    Args:
        config: a mapping, or the text of a JSON object.
        connector: name of the connector; the key ``name`` must be equal to it.

    Raises:
        ConfigurationError: it is neither, a value can't be a text, or it names no class or another connector.
    """
    if isinstance(config, str):
        config = _from_json(config)
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            f"config= must be a mapping, a JSON object or what a builder returns; found a {type(config).__name__}"
        )
    if set(config) == {"name", "config"} and isinstance(config["config"], Mapping):
        config = {NAME: config["name"], **config["config"]}  # as for POST /connectors
    found = {_key(key): _text(key, value) for key, value in config.items() if value is not None}
    if found.pop(NAME, connector) != connector:
        raise ConfigurationError(f"`name` in config= is not connector={connector!r}: leave it out, or make them equal")
    if not found.get(CLASS, "").strip():
        raise ConfigurationError(f"config= has no {CLASS!r}: it names the plugin that runs")
    return found


def entries(value: str | None) -> list[str]:
    """Return the entries of a list, as Kafka Connect writes one."""
    return [one.strip() for one in (value or "").split(",") if one.strip()]


def is_debezium_source(config: Mapping[str, str]) -> bool:
    """Whether a config is that of a Debezium source connector."""
    plugin = config.get(CLASS, "")
    return plugin.startswith("io.debezium.") and "sink" not in plugin.lower()


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigurationError(
            f"config= is not a JSON object{where}: give a mapping, a file that ends with .json, or a template with"
            " `| tojson` at its end"
        ) from None


def _key(key: Any) -> str:
    if not isinstance(key, str) or not key.strip() or key != key.strip() or not key.isprintable():
        raise ConfigurationError(f"a key in config= must be a text without blanks at its ends; found {key!r}")
    return key


def _text(key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, numbers.Number):
        return str(value)
    if isinstance(value, (list, tuple)):
        parts = [_text(key, one) for one in value]
        if any("," in one for one in parts):
            raise ConfigurationError(f"an entry of {key!r} in config= holds a comma, which separates entries there")
        return ",".join(parts)
    raise ConfigurationError(
        f"{key!r} in config= must be a text, a number, true or false, a list of them, or None; found a"
        f" {type(value).__name__}"
    )
