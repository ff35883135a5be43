"""Login of a JDBC sink, tried by us: Kafka Connect does not, and the connector stays RUNNING without one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_legacy_events.connect.builders.jdbc import JDBC_SINK
from airflow_legacy_events.connect.placeholders import of_field
from airflow_legacy_events.hooks.database import LegacyDatabaseHook

_AWAY = re.compile(
    r"error 200[2-6]\b|(resolve|translate) host|connection refused|timed out|timeout|no answer|unreachable"
    r"|needs a driver",
    re.IGNORECASE,
)
"""The database is not reached from here, which says nothing about the Connect worker."""


def try_login(config: Mapping[str, object]) -> tuple[str | None, str | None]:
    """Return why the login of a sink is refused, and why it could not be tried; each None if there is no reason.

    Only the login of an Airflow connection can be tried: that of a config with `${airflow:<conn_id>:password}`.

    Args:
        config: before its placeholders are filled in.
    """
    conn_id = of_field(config, "password")
    if conn_id is None or not str(config.get("connector.class", "")).endswith(JDBC_SINK.rpartition(".")[2]):
        return None, None
    reached, text = LegacyDatabaseHook(conn_id).test_connection()
    if reached:
        return None, None
    if _AWAY.search(text):
        return None, f"the login of connection {conn_id!r} could not be tried from here: {text}"
    return f"the database refuses connection {conn_id!r}: correct its login and password. {text}", None
