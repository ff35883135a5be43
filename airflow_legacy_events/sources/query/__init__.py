"""Query source: a table or query, read by columns that increase with every change."""

from airflow_legacy_events.sources.query.source import QuerySource

__all__ = ["QuerySource"]
