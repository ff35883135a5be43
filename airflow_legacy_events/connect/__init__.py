"""Kafka Connect over its REST interface: requests, states, configs; no Airflow."""

from airflow_legacy_events.connect.builders.jdbc import jdbc_sink
from airflow_legacy_events.connect.builders.outbox import outbox_source
from airflow_legacy_events.connect.builders.source import debezium_source

__all__ = ["debezium_source", "jdbc_sink", "outbox_source"]
