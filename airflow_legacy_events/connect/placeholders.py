"""Placeholders of a config: parts of an Airflow connection, filled in when the config is applied.

They have the form of Kafka Connect's own config providers, `${airflow:<conn_id>:<field>}`, so a config stays plain data
without secrets, in a DAG as in a file. Other `${…}` are the worker's, and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from airflow_legacy_events.core.errors import ConfigurationError

FIELDS = ("host", "port", "login", "password", "database", "jdbc_url", "bootstrap_servers")
"""What a placeholder may name."""

Lookup = Callable[[str], Mapping[str, str | None]]
"""Returns the fields of a connection, None for those that it has not."""

_PLACEHOLDER = re.compile(r"\$\{airflow:([^:{}]+):([^:{}]+)\}")


def placeholder(conn_id: str, field: str) -> str:
    """Return the placeholder of a connection's field."""
    return f"${{airflow:{conn_id}:{field}}}"


def connections(config: Mapping[str, object]) -> tuple[str, ...]:
    """Return the connections that a config names, sorted."""
    return tuple(sorted({found[1] for value in config.values() for found in _PLACEHOLDER.finditer(str(value))}))


def of_field(config: Mapping[str, object], field: str) -> str | None:
    """Return the connection whose `field` a config names; None if there is none, or several."""
    found = {one[1] for value in config.values() for one in _PLACEHOLDER.finditer(str(value)) if one[2] == field}
    return found.pop() if len(found) == 1 else None


def fill(config: Mapping[str, object], lookup: Lookup) -> dict[str, object]:
    """Return the config with its placeholders filled in.

    A property that is nothing but the placeholder of a field that the connection has not is left out.

    Raises:
        ConfigurationError: a placeholder names another field, or a field that is missing within a longer text.
    """
    known: dict[str, Mapping[str, str | None]] = {}
    filled: dict[str, object] = {}
    for name, value in config.items():
        if not isinstance(value, str) or _PLACEHOLDER.search(value) is None:
            filled[name] = value
            continue
        whole = _PLACEHOLDER.fullmatch(value)
        for conn_id, field in _PLACEHOLDER.findall(value):
            if field not in FIELDS:
                raise ConfigurationError(
                    f"{name} names the field {field!r} of connection {conn_id!r}, which is not known. Known are"
                    f" {', '.join(FIELDS)}"
                )
            known[conn_id] = known.get(conn_id) or lookup(conn_id)
        if whole is not None and known[whole[1]].get(whole[2]) is None:
            continue
        filled[name] = _PLACEHOLDER.sub(lambda one: _field(name, known[one[1]], one[1], one[2]), value)  # noqa: B023
    return filled


def _field(name: str, fields: Mapping[str, str | None], conn_id: str, field: str) -> str:
    found = fields.get(field)
    if found is None:
        raise ConfigurationError(f"{name} needs the {field} of connection {conn_id!r}, which has none: set it there")
    return found
