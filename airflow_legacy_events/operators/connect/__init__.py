"""Operators that steer connectors of Kafka Connect."""

from airflow_legacy_events.operators.connect.delete import ConnectorDeleteOperator
from airflow_legacy_events.operators.connect.offsets import ConnectorOffsetsOperator
from airflow_legacy_events.operators.connect.restart import ConnectorRestartOperator
from airflow_legacy_events.operators.connect.signal import DebeziumSignalOperator
from airflow_legacy_events.operators.connect.state import ConnectorStateOperator
from airflow_legacy_events.operators.connect.upsert import ConnectorUpsertOperator

__all__ = [
    "ConnectorDeleteOperator",
    "ConnectorOffsetsOperator",
    "ConnectorRestartOperator",
    "ConnectorStateOperator",
    "ConnectorUpsertOperator",
    "DebeziumSignalOperator",
]
