"""A run that waits for rows; what comes behind it runs only when there are some."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sensors.pending import PendingEventsSensor

stream = {
    "source_conn_id": "legacy_crm",
    "table": "audit_log",
    "watermark_columns": ["id"],
    "topic": "legacy.audit_log_waited",
}

with DAG("wait_for_rows", schedule="@hourly", catchup=False):
    waited = PendingEventsSensor(
        task_id="wait", deferrable=True, timeout=timedelta(minutes=50), soft_fail=True, **stream
    )
    waited >> IncrementalQueryOperator(task_id="publish_audit_log", topic_partitions=3, **stream)
