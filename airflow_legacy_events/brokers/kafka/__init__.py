"""Apache Kafka, and every broker that speaks its protocol, through librdkafka."""

from airflow_legacy_events.brokers.kafka.broker import KafkaBroker

__all__ = ["KafkaBroker"]
