"""Messages as Debezium's connectors send them."""

from airflow_legacy_events.envelopes.debezium.envelope import DebeziumEnvelope

__all__ = ["DebeziumEnvelope"]
