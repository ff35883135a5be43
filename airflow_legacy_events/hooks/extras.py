"""Extras of Airflow connections, read alike for every database: null means not set."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases import errors

_NOTHING = ("", "{}")


def extras_of(conn_id: str, connection: Any) -> dict[str, Any]:
    """Return the extras of a connection that are set.

    Raises:
        ConfigurationError: the extra field is not a JSON object, so its settings are unknown.
    """
    written = "".join((connection.extra or "").split())
    found = connection.extra_dejson if written not in _NOTHING else {}
    if not isinstance(found, dict) or (not found and written not in _NOTHING):  # Airflow returns {} for invalid JSON
        raise ConfigurationError(
            f"the extra field of connection {conn_id!r} is not a JSON object, so it can't be used. Write it as one,"
            ' such as {"connect_timeout": 10}, or leave it empty'
        )
    return {name: value for name, value in found.items() if value is not None}


def driver_options(conn_id: str, extras: dict[str, Any], ours: Collection[str] = ()) -> dict[str, str]:
    """Return the extras that are passed to a driver, as texts.

    Args:
        conn_id: Airflow's name of the connection, for the error.
        extras: those that are set.
        ours: those not passed on: extras only for Airflow's own hook, and settings fixed for every session here.

    Raises:
        ConfigurationError: one is not a single value.
    """
    return {name: _text(conn_id, name, value) for name, value in extras.items() if name not in ours}


def _text(conn_id: str, name: str, value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise errors.refused_extra(conn_id, name, "is a JSON list or object, and the driver takes a single value")
    return str(int(value) if isinstance(value, bool) else value)
