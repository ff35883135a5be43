"""Hook for legacy databases: opens one from an Airflow connection."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseHook

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.core.ports.target import Target
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.hooks.registry import ABOUT, CONN_TYPE, DATABASES, TARGETS, resolve

if TYPE_CHECKING:
    import sqlalchemy as sa


class LegacyDatabaseHook(BaseHook):
    """Opens a legacy database from an Airflow connection of its type, such as ``postgres`` or ``sqlite``.

    The URL is built from the connection's own fields, so no database provider package is needed, only the driver (``pip
    install 'airflow-legacy-events[postgres]'``). For any other type, the SQLAlchemy URL comes from its extra
    ``sqlalchemy_url``, else from its own Airflow hook. A connection of type ``legacy_database`` has that URL in a field
    of its form; the URL determines which database reads it.

    :param conn_id: the Airflow connection.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "legacy_database_default"
    conn_type = CONN_TYPE
    hook_name = "Legacy database"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the database answers, with its description or the reason why not; takes seconds at most.

        The text holds no secrets.
        """
        from airflow_legacy_events.hooks import testing  # noqa: PLC0415

        seconds = dt.timedelta(seconds=testing.STATEMENT_SECONDS)
        try:
            connection = find_connection(self.conn_id)
            name, url, database = self._open(connection, statement_timeout=seconds)
            about = resolve(ABOUT[name])
        except LegacyEventsError as error:
            return False, testing.unnamed(self.conn_id, str(error))
        except Exception as error:  # noqa: BLE001  of a secrets backend or a dialect
            return False, testing.unexpected(error)
        return testing.answer(self.conn_id, connection, url, database, about, testing.DEADLINE_SECONDS)

    def get_database(
        self,
        *,
        statement_timeout: dt.timedelta = dt.timedelta(minutes=5),
        log: logging.Logger | None = None,
        max_row_bytes: int = MAX_ROW_BYTES,
        row_security: str = FAIL,
    ) -> Database:
        """Return the database; nothing is connected yet.

        :param statement_timeout: time limit of a statement, enforced by the database.
        :param log: logger of the database; None is its own.
        :param max_row_bytes: maximum raw bytes of a row; a larger row is refused.
        :param row_security: what to do where a row-level security policy may hide rows: ``fail`` or ``apply``.
            Databases that can't detect this apply their policies.
        :raises ConfigurationError: the connection is missing, yields no URL, or its driver is not installed.
        """
        return self._open(
            find_connection(self.conn_id),
            statement_timeout=statement_timeout,
            log=log,
            max_row_bytes=max_row_bytes,
            row_security=row_security,
        )[2]

    def get_target(
        self, *, statement_timeout: dt.timedelta = dt.timedelta(minutes=5), log: logging.Logger | None = None
    ) -> Target:
        """Return the database as a target, which a topic is applied to; nothing is connected yet.

        :param statement_timeout: time limit of a statement, enforced by the database.
        :param log: logger of the target; None is its own.
        :raises ConfigurationError: the connection is missing, yields no URL, or its driver is not installed.
        """
        from airflow_legacy_events.hooks.target import find_target  # noqa: PLC0415  SQLAlchemy, only to connect

        name, url = find_target(self.conn_id, find_connection(self.conn_id))
        made = self._load(name, TARGETS[name])(self.conn_id, url, statement_timeout=statement_timeout, log=log)
        return cast("Target", made)

    def _open(
        self,
        connection: Any,
        *,
        statement_timeout: dt.timedelta,
        log: logging.Logger | None = None,
        max_row_bytes: int = MAX_ROW_BYTES,
        row_security: str = FAIL,
    ) -> tuple[str, sa.URL, Database]:
        """Return the database, its name in the registry and its URL."""
        from airflow_legacy_events.hooks.target import find_target  # noqa: PLC0415  SQLAlchemy, only to connect

        name, url = find_target(self.conn_id, connection)
        database = self._load(name, DATABASES[name])(
            url,
            conn_id=self.conn_id,
            statement_timeout_seconds=statement_timeout.total_seconds(),
            log=log,
            max_row_bytes=max_row_bytes,
            row_security=row_security,
        )
        return name, url, cast("Database", database)

    def _load(self, conn_type: str, path: str) -> Any:
        try:
            return resolve(path)
        except ImportError as error:
            raise ConfigurationError(
                f"connection {self.conn_id!r} of type {conn_type!r} needs a driver that can't be imported ({error})."
                f" Install it where the tasks run: pip install 'airflow-legacy-events[{conn_type}]'"
            ) from error
