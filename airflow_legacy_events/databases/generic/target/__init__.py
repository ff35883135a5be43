"""Other SQL databases as targets, through their SQLAlchemy dialects."""

from airflow_legacy_events.databases.generic.target.target import GenericTarget

__all__ = ["GenericTarget"]
