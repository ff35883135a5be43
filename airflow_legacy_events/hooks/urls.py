"""SQLAlchemy URLs from the fields of Airflow connections, without the database provider packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.databases.errors import refused_extra
from airflow_legacy_events.hooks.extras import driver_options, extras_of
from airflow_legacy_events.hooks.generic_url import generic_url

# Extras that make Airflow's own PostgreSQL hook request a cloud token.
_TOKEN_EXTRAS = ("iam", "azure_conn_id", "redshift", "redshift-serverless")
# Extras only for that hook, and settings fixed for every session here; all others are libpq parameters.
_HOOK_EXTRAS = frozenset(
    {
        *_TOKEN_EXTRAS,
        *("aws_conn_id", "cluster-identifier", "cursor", "sqlalchemy_query", "sqlalchemy_scheme", "workgroup-name"),
        *("async", "async_", "autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold"),
        *("client_encoding", "row_factory"),
    }
)
# Extras of Airflow's own MySQL hook, and settings fixed for every session here.
_MYSQL_HOOK_EXTRAS = frozenset(
    {
        *("aws_conn_id", "charset", "client", "cursor", "iam", "local_infile", "allow_local_infile", "ssl"),
        *("use_unicode", "autocommit", "binary_prefix", "client_flag", "conv", "cursorclass", "executemany_fallback"),
        *("local_infile_dir", "multi_statements"),
    }
)


def postgres_url(conn_id: str, connection: Any) -> sa.URL:
    """Return the URL: host, port, login, password, `schema` as the database, other extras as libpq parameters.

    The extra `sqlalchemy_query`, which Airflow's hook passes to SQLAlchemy alone, is included as well.
    """
    extras = extras_of(conn_id, connection)
    if token := [name for name in _TOKEN_EXTRAS if extras.get(name)]:
        raise ConfigurationError(
            f"connection {conn_id!r} requests a cloud token with its extra {token[0]!r}, which is not supported here."
            " Use a login with a password, a certificate (sslcert, sslkey) or a service file (service)"
        )
    further = extras.get("sqlalchemy_query", {})
    if not isinstance(further, dict):
        raise refused_extra(conn_id, "sqlalchemy_query", "is not a JSON object of libpq parameters")
    further = {name: value for name, value in further.items() if value is not None}
    if "conninfo" in further or "conninfo" in extras:  # the driver's own argument, which may name another server
        raise refused_extra(conn_id, "conninfo", "is not a libpq connection parameter")
    return sa.URL.create(
        "postgresql+psycopg",
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=driver_options(conn_id, {**further, **extras}, _HOOK_EXTRAS),
    )


def mysql_url(conn_id: str, connection: Any) -> sa.URL:
    """Return the URL: host, port, login, password, `schema` as the database, other extras as mysqlclient's options.

    The extra `ssl` holds certificate options (`ca`, `cert`, `key`, `capath`, `cipher`, `check_hostname`) as JSON or as
    text, or it is true or false.
    """
    extras = extras_of(conn_id, connection)
    if extras.get("iam"):
        raise ConfigurationError(
            f"connection {conn_id!r} requests a cloud token with its extra 'iam', which is not supported here. Use a"
            " login with a password, or a certificate (ssl)"
        )
    certificate = _certificate(conn_id, extras.get("ssl", {}))
    query = driver_options(conn_id, extras, _MYSQL_HOOK_EXTRAS)
    return sa.URL.create(
        "mysql+mysqldb",
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or "localhost",
        port=connection.port,
        database=connection.schema or None,
        query={**{f"ssl_{name}": value for name, value in driver_options(conn_id, certificate).items()}, **query},
    )


def _certificate(conn_id: str, ssl: Any) -> dict[str, Any]:
    try:
        found = read_json(ssl or "{}") if isinstance(ssl, str) else ssl
    except ValueError:
        found = None
    if isinstance(found, bool):
        return {"mode": "REQUIRED" if found else "DISABLED"}
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"the extra 'ssl' of connection {conn_id!r} is not a JSON object. Write it as one, with ca, cert, key,"
            " capath, cipher or check_hostname, or as true or false"
        )
    return {name: value for name, value in found.items() if value is not None}


def sqlite_url(conn_id: str, connection: Any) -> sa.URL:
    """Return the URL: the file's path is in `host`, else in `schema`."""
    path = connection.host or connection.schema or ""
    if not path or path.startswith("file:") or ":memory:" in path:
        raise ConfigurationError(
            f"connection {conn_id!r} of type 'sqlite' needs the path of a database file in its host (or schema); found"
            f" {path!r}"
        )
    return sa.URL.create("sqlite", database=path)


URLS: dict[str, Callable[[str, Any], sa.URL]] = {
    "generic": generic_url,
    "mysql": mysql_url,
    "postgres": postgres_url,
    "sqlite": sqlite_url,
}
