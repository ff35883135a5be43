"""Conflicts with other connectors of the cluster: what two Debezium connectors can't share."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.connect.config import CLASS, is_debezium_source
from airflow_legacy_events.core.errors import ConfigurationError

HISTORY_TOPIC = "schema.history.internal.kafka.topic"
_PORTS = {"postgres": "5432", "mysql": "3306", "mariadb": "3306"}
_DEFAULT_SLOT = "debezium"
_LOCAL = "127.0.0.1"


def conflicts(
    name: str, config: Mapping[str, str], others: Mapping[str, Mapping[str, str]]
) -> list[ConfigurationError]:
    """Return an error for each thing that another connector of the cluster uses already.

    Args:
        name: of the connector.
        config: as declared.
        others: configs of the cluster's connectors, by name.
    """
    if not is_debezium_source(config):
        return []
    found = []
    for other, has in sorted(others.items()):
        if other != name and is_debezium_source(has):
            found += [ConfigurationError(f"connector {other!r} {said}") for said in _shared(config, has)]
    return found


def rivals(name: str, config: Mapping[str, str], others: Mapping[str, Mapping[str, str]]) -> list[ConfigurationError]:
    """Return an error for each connector that takes the log away from this one: by its slot, or its server id.

    Args:
        name: of the connector.
        config: of it.
        others: configs of the cluster's connectors, by name.
    """
    return [
        ConfigurationError(f"connector {other!r} {said}")
        for other, has in sorted(others.items())
        if other != name and is_debezium_source(has) and is_debezium_source(config)
        for said in _at_source(config, has)
    ]


def server_of(config: Mapping[str, str]) -> tuple[str, str] | None:
    """Return host and port of a Debezium connector's database; None if they are not set."""
    host = config.get("database.hostname", "").strip().lower()
    if not host:
        return None
    default = next((port for kind, port in _PORTS.items() if kind in config.get(CLASS, "").lower()), "")
    return (_LOCAL if host == "localhost" else host, config.get("database.port", default).strip())


def slot_of(config: Mapping[str, str]) -> str | None:
    """Return the replication slot of a Debezium connector for PostgreSQL; None for any other connector."""
    if "postgres" not in config.get(CLASS, "").lower() or not is_debezium_source(config):
        return None
    return config.get("slot.name", _DEFAULT_SLOT).strip()


def _shared(config: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    found = []
    if (prefix := config.get("topic.prefix")) and prefix == other.get("topic.prefix"):
        found.append(f"has topic.prefix {prefix!r} too: choose another one, both would write to the same topics")
    if (topic := config.get(HISTORY_TOPIC)) and topic == other.get(HISTORY_TOPIC):
        found.append(f"has {HISTORY_TOPIC} {topic!r} too: choose another one, each needs a topic of its own")
    return found + _at_source(config, other)


def _at_source(config: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    if (server := server_of(config)) is None or server != server_of(other):
        return found
    where = f"of {server[0]}:{server[1]}"
    if (slot := slot_of(config)) is not None and slot == slot_of(other):
        found.append(f"reads slot {slot!r} {where} too: set another slot.name, only one of them would get changes")
    number = config.get("database.server.id")
    if number is not None and number == other.get("database.server.id"):
        found.append(
            f"has database.server.id {number!r} {where} too: choose another one, the server cuts off the elder of two"
        )
    return found
