"""Databases that Debezium reads: what their connectors are called, and which properties they share."""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError


class Kind(NamedTuple):
    """A Debezium source connector.

    Attributes:
        class_name: of the plugin.
        example: name of a table, for messages.
        database: property that names the database; empty if tables= does.
        history: whether it keeps the schema's history in a topic.
        numbered: whether it registers at the server under an id.
        between: regular expression of what its topics have between prefix and table.
    """

    class_name: str
    example: str
    database: str = "database.dbname"
    history: bool = True
    numbered: bool = False
    between: str = ""


KINDS = {
    "postgres": Kind("io.debezium.connector.postgresql.PostgresConnector", "public.orders", history=False),
    "mariadb": Kind("io.debezium.connector.mariadb.MariaDbConnector", "shop.orders", "", numbered=True),
    "mysql": Kind("io.debezium.connector.mysql.MySqlConnector", "shop.orders", "", numbered=True),
    "sqlserver": Kind(
        "io.debezium.connector.sqlserver.SqlServerConnector", "dbo.orders", "database.names", between=r"[^.]+\."
    ),
    "oracle": Kind("io.debezium.connector.oracle.OracleConnector", "SHOP.ORDERS"),
    "db2": Kind("io.debezium.connector.db2.Db2Connector", "SHOP.ORDERS"),
    "mongodb": Kind("io.debezium.connector.mongodb.MongoDbConnector", "shop.orders", "", history=False),
}


def kind_of(connector: object) -> Kind:
    """Return the connector of a database.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if connector not in KINDS:
        raise ConfigurationError(f"connector= must be one of {', '.join(map(repr, KINDS))}; found {connector!r}")
    return KINDS[str(connector)]
