"""Other SQL databases, through their SQLAlchemy dialects."""

from airflow_legacy_events.databases.generic.database import GenericDatabase

__all__ = ["GenericDatabase"]
