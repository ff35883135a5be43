"""A table or query, read by the columns that grow with every change."""

from airflow_legacy_events.sources.query.source import QuerySource

__all__ = ["QuerySource"]
