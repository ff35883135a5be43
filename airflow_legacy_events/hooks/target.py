"""Target of a connection: the database that it leads to, and the URL."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.extras import extras_of
from airflow_legacy_events.hooks.generic_url import generic_url, parsed
from airflow_legacy_events.hooks.registry import BACKENDS, CONN_TYPE, DATABASES, GENERIC
from airflow_legacy_events.hooks.urls import URLS


class _Fields(NamedTuple):
    """A connection of a type with its own database, with the fields taken from its URL."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str | None
    extra: str
    extra_dejson: dict[str, Any]


def find_target(conn_id: str, connection: Any) -> tuple[str, sa.URL]:
    """Return the name of the database in `registry.DATABASES`, and its URL.

    A connection of type `legacy_database` is read by the database that its URL names, just like a connection of that
    database's type. Its other extras are passed to the driver too, and its fields fill in what the URL leaves out. Port
    0 means none: Airflow's form can't test a connection that was saved without a port.

    Raises:
        ConfigurationError: the connection yields no URL.
    """
    conn_type = str(connection.conn_type)
    if conn_type != CONN_TYPE:
        name = conn_type if conn_type in DATABASES else GENERIC
        return name, URLS[name](conn_id, connection)
    extras = extras_of(conn_id, connection)
    text = extras.pop("sqlalchemy_url", None)
    if not text:
        raise ConfigurationError(
            f"connection {conn_id!r} of type {CONN_TYPE!r} has no SQLAlchemy URL. Put it into the form's field"
            " 'SQLAlchemy URL', which is the extra 'sqlalchemy_url', such as 'postgresql://host:5432/database'"
        )
    url = parsed(conn_id, text, "its extra sqlalchemy_url")
    name = BACKENDS.get(url.get_backend_name(), GENERIC)
    if name == GENERIC:
        return name, _filled(generic_url(conn_id, connection), connection)
    return name, _own(conn_id, name, url, connection, extras)


def _own(conn_id: str, name: str, url: sa.URL, connection: Any, extras: dict[str, Any]) -> sa.URL:
    single = {key: value for key, value in url.query.items() if isinstance(value, str)}
    several = {key: value for key, value in url.query.items() if key not in single}
    options = {**extras, **single}
    fields = _Fields(
        (url.database if name == "sqlite" else url.host) or connection.host,
        url.port or connection.port or None,
        url.username or connection.login,
        url.password or connection.password,
        url.database or connection.schema,
        json.dumps(options),
        options,
    )
    return URLS[name](conn_id, fields).update_query_dict(several)


def _filled(url: sa.URL, connection: Any) -> sa.URL:
    if url.host or not connection.host:
        return url
    database = url.database or connection.schema or None
    return url.set(host=connection.host, port=url.port or connection.port or None, database=database)
