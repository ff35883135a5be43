"""Change log source: the changes of tables in commit order, and their rows in snapshots beside the log."""

from airflow_legacy_events.sources.changelog.source import ChangeLogSource

__all__ = ["ChangeLogSource"]
