"""Check that a table that exists belongs to transactions, and outlives a crash of the server."""

from __future__ import annotations

import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError

_MYSQL = frozenset({"mysql", "mariadb"})
_ENGINE = sa.text("SELECT engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :name")
_PERSISTENCE = sa.text("SELECT relpersistence FROM pg_catalog.pg_class WHERE oid = to_regclass(:name)")


def refuse_without_transactions(connection: sa.Connection, table: str, conn_id: str) -> None:
    """Check a table of ours, made by this package or before it.

    Raises:
        WatermarkError: its rows would outlive a ROLLBACK, or be lost in a crash; with the statement that changes that.
    """
    if connection.dialect.name in _MYSQL:
        engine = connection.execute(_ENGINE, {"name": table}).scalar()
        if engine is not None and str(engine).lower() != "innodb":
            raise WatermarkError(
                f"run ALTER TABLE {table} ENGINE=InnoDB over connection {conn_id!r}: the table is of engine {engine},"
                " whose rows stay when a transaction is rolled back, so the position would pass rows that were not"
                " applied"
            )
    if connection.dialect.name == "postgresql":
        kept = connection.execute(_PERSISTENCE, {"name": table}).scalar()
        if kept not in (None, "p"):
            raise WatermarkError(
                f"run ALTER TABLE {table} SET LOGGED over connection {conn_id!r}: the table is not logged, so a crash"
                " of the server would empty it"
            )
