"""Source database of a connector: whether a connection leads to it, or to another one."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.connect.config import CLASS, is_debezium_source
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ConnectedDatabase

_PRODUCTS = {"postgres": ("postgresql",), "mysql": ("mysql", "mariadb"), "mariadb": ("mysql", "mariadb")}


def products_of(config: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the products that a Debezium source reads; None for any other connector, and for other databases."""
    plugin = config.get(CLASS, "").lower()
    if not is_debezium_source(config):
        return None
    return next((products for kind, products in _PRODUCTS.items() if kind in plugin), None)


def refuse_other(name: str, config: Mapping[str, str], conn_id: str, database: ConnectedDatabase) -> None:
    """Check that a connection leads to the database of a connector.

    Raises:
        ConfigurationError: it leads to another product, or on PostgreSQL to another database.
    """
    if database.product not in (products_of(config) or ()):
        raise ConfigurationError(
            f"source_conn_id={conn_id!r} leads to {database.product}, but connector {name!r} is a"
            f" {config.get(CLASS)}: give the connection of its database"
        )
    named = config.get("database.dbname", "").strip()
    if slot_of(config) is not None and named and "${" not in named and named != database.database:
        raise ConfigurationError(
            f"source_conn_id={conn_id!r} leads to database {database.database!r}, but connector"
            f" {name!r} reads {named!r}: give the connection of that database"
        )
