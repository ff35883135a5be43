"""Messages as Debezium's connector for PostgreSQL sends them."""

from airflow_legacy_events.envelopes.debezium.envelope import DebeziumEnvelope

__all__ = ["DebeziumEnvelope"]
