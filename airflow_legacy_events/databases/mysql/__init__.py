"""MySQL and MariaDB through mysqlclient."""

from airflow_legacy_events.databases.mysql.database import MysqlDatabase

__all__ = ["MysqlDatabase"]
