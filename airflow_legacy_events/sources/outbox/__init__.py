"""An outbox table, drained: its rows are published, then deleted or marked."""

from airflow_legacy_events.sources.outbox.source import OutboxSource

__all__ = ["OutboxSource"]
