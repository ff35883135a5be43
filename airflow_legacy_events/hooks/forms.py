"""Connection forms in Airflow's user interface: our own types, and those that no installed provider brings.

The module imports nothing from Airflow, because Airflow reads it while it is itself being imported.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

_HOOKS = "airflow_legacy_events.hooks"
_OWN = {
    "connection-type": "legacy_database",
    "hook-class-name": f"{_HOOKS}.database.LegacyDatabaseHook",
    "hook-name": "Legacy database",
    # The form has a port because Airflow's test button rejects connections saved without one.
    "ui-field-behaviour": {
        "relabeling": {"schema": "Database"},
        "placeholders": {
            "host": "or in the SQLAlchemy URL",
            "port": "0 where the SQLAlchemy URL has it",
            "schema": "or in the SQLAlchemy URL",
        },
    },
    "conn-fields": {
        "sqlalchemy_url": {
            "label": "SQLAlchemy URL",
            "description": (
                "Such as postgresql://host:5432/database, mysql://host:3306/database, sqlite:////path/to/file.db, or"
                " one of any other SQLAlchemy dialect. The standard fields fill in what it leaves out: postgresql://"
                " is enough beside them. Login and password belong there."
            ),
            "schema": {"type": ["string", "null"]},
        }
    },
}
_CONNECT = {
    "connection-type": "kafka_connect",
    "hook-class-name": f"{_HOOKS}.connect.KafkaConnectHook",
    "hook-name": "Kafka Connect",
    "ui-field-behaviour": {
        "placeholders": {
            "host": "connect-1, connect-2",
            "port": "8083",
            "schema": "http or https",
            "extra": '{"headers": {"X-Tenant": "crm"}}',
        },
    },
    "conn-fields": {
        "verify": {
            "label": "Certificate authorities",
            "description": "Path of a PEM file, or false for no verification; by default those of the machine.",
            "schema": {"type": ["string", "null"]},
        },
        "cert": {
            "label": "Client certificate",
            "description": "Path of a PEM file, or paths of certificate and key, separated by a comma.",
            "schema": {"type": ["string", "null"]},
        },
        "timeout": {
            "label": "Seconds for one answer",
            "description": "Seconds that a worker may take for one answer; 30 by default.",
            "schema": {"type": ["string", "null"]},
        },
    },
}
_GENERIC = {
    "connection-type": "generic",
    "hook-class-name": f"{_HOOKS}.stand_ins.GenericConnectionHook",
    "hook-name": "Generic",
}
_DATABASE = {"relabeling": {"schema": "Database"}}
_FILE = {
    "hidden-fields": ["port", "schema", "login", "password"],
    "relabeling": {"host": "Path of the file"},
}
_STAND_INS = (
    ("postgres", "PostgresConnectionHook", "Postgres", _DATABASE),
    ("mysql", "MysqlConnectionHook", "MySQL", _DATABASE),
    ("sqlite", "SqliteConnectionHook", "Sqlite", _FILE),
)


def connection_types() -> list[dict[str, Any]]:
    """Return `connection-types` of the provider's description.

    Another provider's type is included only if that provider is not installed: Airflow would then have no form for it,
    and no connection test.
    """
    stand_ins = [
        {
            "connection-type": conn_type,
            "hook-class-name": f"{_HOOKS}.stand_ins.{hook}",
            "hook-name": name,
            "ui-field-behaviour": form,
        }
        for conn_type, hook, name, form in _STAND_INS
        if not _is_installed(f"apache-airflow-providers-{conn_type}")
    ]
    return [_OWN, _CONNECT, _GENERIC, *stand_ins]


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
