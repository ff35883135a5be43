"""Kafka Connect hook: clients of a cluster, from an Airflow connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.client import AsyncConnectClient, ConnectClient
from airflow_legacy_events.connect.deadline import Deadline
from airflow_legacy_events.connect.endpoint import Endpoint
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks import testing
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.hooks.extras import extras_of

CONN_TYPE = "kafka_connect"
DEFAULT_CONN_ID = "kafka_connect_default"
DEFAULT_PORT = 8083

_SCHEMAS = ("http", "https")
_EXTRAS = ("verify", "cert", "headers", "timeout")
_WORDS = {"true": True, "false": False}
_PAIR = 2
_TEST_SECONDS = 10


class KafkaConnectHook(BaseHook):
    """Speaks to a Kafka Connect cluster through an Airflow connection of type ``kafka_connect`` or ``http``.

    The connection's host may name several workers, separated by commas: the next one is used where one is away. Port
    is 8083 by default, schema ``http``. Its extra may hold ``verify`` (false, or the path of a file of certificate
    authorities), ``cert`` (path of a client's certificate, or a list of it and its key), ``headers`` and ``timeout``
    (seconds for one answer, 30 by default).

    :param connect_conn_id: the Airflow connection.
    """

    conn_name_attr = "connect_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = CONN_TYPE
    hook_name = "Kafka Connect"

    def __init__(self, connect_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.connect_conn_id = connect_conn_id

    def endpoint(self) -> Endpoint:
        """Return addresses, login and TLS settings of the cluster; nothing is connected.

        :raises ConfigurationError: the connection is missing, of another type, or unusable as it is.
        """
        connection = find_connection(self.connect_conn_id)
        if connection.conn_type not in (CONN_TYPE, "http"):
            raise ConfigurationError(
                f"connection {self.connect_conn_id!r} must be of type {CONN_TYPE!r} or 'http'; its type is"
                f" {connection.conn_type!r}"
            )
        return _endpoint(self.connect_conn_id, connection, extras_of(self.connect_conn_id, connection))

    def get_client(self, timeout: dt.timedelta = dt.timedelta(minutes=5), stop: Stop | None = None) -> ConnectClient:
        """Return a client for a task; use it in a ``with``.

        :param timeout: time from now during which requests are sent again after what passes, such as a rebalance.
        :param stop: ends waiting early.
        :raises ConfigurationError: see `endpoint`.
        """
        return ConnectClient(self.endpoint(), Deadline(timeout, stop))

    def get_async_client(self, timeout: dt.timedelta = dt.timedelta(minutes=5)) -> AsyncConnectClient:
        """Return a client for a trigger; use it in an ``async with``.

        It asks Airflow for the connection, which blocks: call it in a thread.

        :param timeout: see `get_client`.
        :raises ConfigurationError: see `endpoint`.
        """
        return AsyncConnectClient(self.endpoint(), Deadline(timeout))

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the cluster answers, with its version or the reason why not; takes seconds at most.

        The text holds no secrets.
        """
        try:
            with self.get_client(dt.timedelta(seconds=_TEST_SECONDS)) as client:
                worker, names = client.send(calls.worker()), client.send(calls.names())
        except LegacyEventsError as error:
            return False, testing.unnamed(self.connect_conn_id, str(error))
        except Exception as error:  # noqa: BLE001  its text may hold anything
            return False, testing.unexpected(error)
        about = f"Kafka Connect {worker.get('version')}, Kafka cluster {worker.get('kafka_cluster_id')}"
        return True, f"{about}, connectors: {len(names)}"


def _endpoint(conn_id: str, connection: Any, extras: dict[str, Any]) -> Endpoint:
    name = f"connection {conn_id!r}"
    headers = extras.pop("headers", None) or {}
    if connection.conn_type == "http":  # Airflow's hook of that type sends every other extra as a header
        headers = {**{key: extras.pop(key) for key in [*extras] if key not in _EXTRAS}, **headers}
    extras = {key: value for key, value in extras.items() if value != ""}  # as a form leaves what is not filled in
    _check_extras(name, extras, headers)
    return Endpoint(
        name=name,
        addresses=_addresses(name, connection),
        login=connection.login or None,
        password=connection.password or "",
        verify=_verify(extras.get("verify", True)),
        cert=_cert(name, extras.get("cert")),
        headers={key: str(value) for key, value in headers.items()},
        timeout=_timeout(name, extras.get("timeout", 30)),
    )


def _check_extras(name: str, extras: Mapping[str, Any], headers: Any) -> None:
    if unknown := sorted(set(extras) - set(_EXTRAS)):
        raise ConfigurationError(
            f"the extra of {name} has {', '.join(map(repr, unknown))}, which is not known: remove it, or correct its"
            f" name. Known are {', '.join(_EXTRAS)}"
        )
    if not isinstance(headers, Mapping) or any(isinstance(value, (dict, list)) for value in headers.values()):
        raise ConfigurationError(f'`headers` in the extra of {name} must be an object of texts, such as {{"a": "b"}}')


def _addresses(name: str, connection: Any) -> tuple[str, ...]:
    hosts = [one.strip() for one in str(connection.host or "").split(",") if one.strip()]
    if not hosts:
        raise ConfigurationError(f"{name} has no host: set it to the host of a Kafka Connect worker")
    schema = str(connection.schema or "http").lower()
    if schema not in _SCHEMAS:
        raise ConfigurationError(f"schema of {name} must be 'http' or 'https'; found {connection.schema!r}")
    return tuple(_address(name, host, schema, connection.port) for host in hosts)


def _address(name: str, host: str, schema: str, port: int | None) -> str:
    try:
        parts = urlsplit(host if "://" in host else f"{schema}://{host}")
        found = parts.port or port or DEFAULT_PORT
    except ValueError:
        parts, found = urlsplit(""), DEFAULT_PORT
    if parts.scheme not in _SCHEMAS or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"host of {name} must be a host, host:port or URL of a worker, several separated by commas. Login and"
            " password have fields of their own"
        )
    named = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{named}:{found}{parts.path.rstrip('/')}"


def _verify(value: Any) -> bool | str:
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower(), value.strip() or True)
    return bool(value)


def _cert(name: str, value: Any) -> str | tuple[str, str] | None:
    if isinstance(value, str):
        value = [one.strip() for one in value.split(",") if one.strip()]
    if not value:
        return None
    if not isinstance(value, list) or len(value) > _PAIR or not all(isinstance(one, str) for one in value):
        raise ConfigurationError(
            f"`cert` in the extra of {name} must be the path of a certificate, or a list of it and its key"
        )
    return value[0] if len(value) == 1 else (value[0], value[1])


def _timeout(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"`timeout` in the extra of {name} must be a number of seconds above 0")
    return seconds
