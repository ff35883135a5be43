"""Airflow connections, with errors that say what to do."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_legacy_events.core.errors import ConfigurationError


def find_connection(conn_id: str) -> Any:
    """Return the connection `conn_id`.

    Raises:
        ConfigurationError: Airflow does not find it. A retry may help, because a failed request looks the same.
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        missing = ConfigurationError(
            f"connection {conn_id!r} was not found. Add it with `airflow connections add {conn_id} --conn-type ...`, or"
            " in the user interface under Admin, Connections"
        )
        missing.retry_helps = True
        raise missing from None
