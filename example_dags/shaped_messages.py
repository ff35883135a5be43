"""Orders whose events say in type, subject and headers what their rows hold."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("shaped_messages", schedule="@hourly", catchup=False):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_crm",
        table="orders",
        watermark_columns=["updated_at"],
        topic="legacy.orders.shaped",
        topic_partitions=3,
        decimals="number",
        event_type="orders.{status}",
        subject="order-{id}",
        headers={"tenant": "acme", "status": "{status}"},
        timestamp_column="updated_at",
    )
