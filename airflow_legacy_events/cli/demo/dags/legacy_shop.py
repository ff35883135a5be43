from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("legacy_shop", schedule="@hourly", catchup=False):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_shop",
        table="orders",
        watermark_columns=["updated_at", "id"],
        topic="shop.orders",
    )
