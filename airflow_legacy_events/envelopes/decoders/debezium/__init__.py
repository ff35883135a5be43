"""Messages of Debezium's connectors, with and without their schema."""

from airflow_legacy_events.envelopes.decoders.debezium.reader import DebeziumReader

__all__ = ["DebeziumReader"]
