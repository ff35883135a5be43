"""Reading of Kafka topics up to an end, without a consumer group."""

from airflow_legacy_events.brokers.kafka.reading.reader import KafkaReader

__all__ = ["KafkaReader"]
