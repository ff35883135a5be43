"""Writers of MySQL and MariaDB: transactions and statements that may still commit rows below a position."""

from airflow_legacy_events.databases.mysql.writers.row_writers import MysqlRowWriters

__all__ = ["MysqlRowWriters"]
