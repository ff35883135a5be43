"""New and changed orders, every five minutes."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("timestamp_and_id", schedule=timedelta(minutes=5), catchup=False):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_crm",
        table="orders",
        watermark_columns=["updated_at", "id"],
        topic="legacy.orders",
        topic_partitions=3,
        dead_letter_topic="legacy.orders.dead",
        lag=timedelta(seconds=10),
    )
