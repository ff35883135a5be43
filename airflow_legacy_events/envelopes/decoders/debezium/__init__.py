"""Messages of Debezium's connectors, with and without their schema."""

from airflow_legacy_events.envelopes.decoders.debezium.decoder import DebeziumDecoder

__all__ = ["DebeziumDecoder"]
