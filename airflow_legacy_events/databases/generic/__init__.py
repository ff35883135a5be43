"""Any other SQL database, through its SQLAlchemy dialect."""

from airflow_legacy_events.databases.generic.database import GenericDatabase

__all__ = ["GenericDatabase"]
