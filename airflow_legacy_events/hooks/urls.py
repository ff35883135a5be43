"""SQLAlchemy URLs from the fields of Airflow connections, without the database provider packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.generic_url import generic_url

# Extras that ask Airflow's own PostgreSQL hook for a token of a cloud.
_TOKEN_EXTRAS = ("iam", "azure_conn_id", "redshift", "redshift-serverless")
# Extras that only that hook reads; all others are libpq parameters.
_HOOK_EXTRAS = frozenset(
    {
        *_TOKEN_EXTRAS,
        "aws_conn_id",
        "cluster-identifier",
        "cursor",
        "sqlalchemy_query",
        "sqlalchemy_scheme",
        "workgroup-name",
    }
)


def postgres_url(conn_id: str, connection: Any) -> sa.URL:
    """Host, port, login, password, `schema` as the database, and every other extra as a libpq parameter."""
    extras = connection.extra_dejson
    if asked := [name for name in _TOKEN_EXTRAS if extras.get(name)]:
        raise ConfigurationError(
            f"connection {conn_id!r} asks for a cloud token by its extra {asked[0]!r}, which is not supported here. Use"
            " a login with a password, a certificate (sslcert, sslkey) or a service file (service)"
        )
    return sa.URL.create(
        "postgresql+psycopg",
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query={name: _text(value) for name, value in extras.items() if name not in _HOOK_EXTRAS},
    )


def sqlite_url(conn_id: str, connection: Any) -> sa.URL:
    """The file's path in `host`, else in `schema`."""
    path = connection.host or connection.schema or ""
    if not path or path.startswith("file:") or ":memory:" in path:
        raise ConfigurationError(
            f"connection {conn_id!r} of type 'sqlite' needs the path of a database file in its host (or schema); found"
            f" {path!r}"
        )
    return sa.URL.create("sqlite", database=path)


URLS: dict[str, Callable[[str, Any], sa.URL]] = {
    "generic": generic_url,
    "postgres": postgres_url,
    "sqlite": sqlite_url,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value)
