"""MySQL and MariaDB as a target: a topic's changes applied to InnoDB tables."""

from airflow_legacy_events.databases.mysql.target.target import MysqlTarget

__all__ = ["MysqlTarget"]
