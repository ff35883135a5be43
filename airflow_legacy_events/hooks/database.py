"""Hook for legacy databases: opens one from an Airflow connection."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any, cast

from airflow.sdk import BaseHook

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.hooks.registry import DATABASES, GENERIC, resolve


class LegacyDatabaseHook(BaseHook):
    """Opens a legacy database from an Airflow connection of its type, such as ``postgres`` or ``sqlite``.

    The URL is built from the connection's own fields, so no database provider package is needed, only the driver
    (``pip install 'airflow-legacy-events[postgres]'``). Any other type is read through the SQLAlchemy URL in its extra
    ``sqlalchemy_url``, else through the one that its own Airflow hook gives.

    :param conn_id: the Airflow connection.
    """

    conn_name_attr = "conn_id"

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_database(
        self,
        *,
        statement_timeout: dt.timedelta = dt.timedelta(minutes=5),
        log: logging.Logger | None = None,
        max_row_bytes: int = MAX_ROW_BYTES,
    ) -> Database:
        """Return the database; nothing is connected yet.

        :param statement_timeout: the database ends a statement that takes longer.
        :param log: logger of the database; None is its own.
        :param max_row_bytes: a row of more raw bytes is refused.
        :raises ConfigurationError: the connection is missing, leads to no URL, or its driver is not installed.
        """
        from airflow_legacy_events.hooks.urls import URLS  # noqa: PLC0415  SQLAlchemy is for those who connect

        connection = find_connection(self.conn_id)
        conn_type = str(connection.conn_type)
        name = conn_type if conn_type in DATABASES else GENERIC
        url = URLS[name](self.conn_id, connection)
        database = self._load(name, DATABASES[name])(
            url,
            conn_id=self.conn_id,
            statement_timeout_seconds=statement_timeout.total_seconds(),
            log=log,
            max_row_bytes=max_row_bytes,
        )
        return cast("Database", database)

    def _load(self, conn_type: str, path: str) -> Any:
        try:
            return resolve(path)
        except ImportError as error:
            raise ConfigurationError(
                f"connection {self.conn_id!r} of type {conn_type!r} needs a driver that can't be imported ({error})."
                f" Install it where the tasks run: pip install 'airflow-legacy-events[{conn_type}]'"
            ) from error
