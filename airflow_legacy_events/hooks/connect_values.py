"""Values of Airflow connections in the config of a connector; see `connect.placeholders`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.connect import placeholders
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.hooks.extras import extras_of
from airflow_legacy_events.hooks.target import find_target

_BROKERS = "bootstrap.servers"


class _Jdbc(NamedTuple):
    """JDBC's URL of a database.

    Attributes:
        url: with `host`, `port` and `database`.
        port: of a connection without one.
    """

    url: str
    port: int


_JDBC = {
    "postgresql": _Jdbc("jdbc:postgresql://{host}:{port}/{database}", 5432),
    "mysql": _Jdbc("jdbc:mysql://{host}:{port}/{database}", 3306),
    "mariadb": _Jdbc("jdbc:mariadb://{host}:{port}/{database}", 3306),
    "mssql": _Jdbc("jdbc:sqlserver://{host}:{port};databaseName={database}", 1433),
    "oracle": _Jdbc("jdbc:oracle:thin:@//{host}:{port}/{database}", 1521),
    "ibm_db_sa": _Jdbc("jdbc:db2://{host}:{port}/{database}", 50000),
    "db2": _Jdbc("jdbc:db2://{host}:{port}/{database}", 50000),
    "mongo": _Jdbc("", 27017),
}


def filled(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connector's config with the placeholders of Airflow connections filled in.

    Raises:
        ConfigurationError: a connection is missing, or has not what is named of it.
    """
    return placeholders.fill(config, fields_of)


def fields_of(conn_id: str) -> dict[str, str | None]:
    """Return the fields of a connection by their names in `placeholders.FIELDS`; None for those that it has not.

    Raises:
        ConfigurationError: there is no such connection, or its extra is unusable.
    """
    connection = find_connection(conn_id)
    brokers = extras_of(conn_id, connection).get(_BROKERS)
    if brokers:
        return {"bootstrap_servers": str(brokers)}
    url = _url(conn_id, connection)
    backend = url.get_backend_name()
    known = _JDBC.get(backend)
    port = url.port or (known.port if known else None)
    fields = {"host": url.host, "port": None if port is None else str(port), "database": url.database}
    jdbc = None if known is None or None in fields.values() else known.url.format(**fields) or None
    return {**fields, "login": url.username, "password": url.password, "jdbc_url": jdbc}


def _url(conn_id: str, connection: Any) -> sa.URL:
    """Return the URL of a database that Connect reads; only its host, login and database are used.

    A type that SQLAlchemy does not know, such as `mongo`, is taken as its fields are.
    """
    try:
        _, url = find_target(conn_id, connection)
    except ConfigurationError:
        if not connection.host:
            raise
        name, login, password = str(connection.conn_type), connection.login or None, connection.password or None
        fields = {"host": connection.host, "port": connection.port or None, "database": connection.schema or None}
        return sa.URL.create(name, login, password, **fields)
    return url
