"""A table to a topic every minute, and from there to a table of another database, whenever something was sent."""

from datetime import timedelta

from airflow.sdk import DAG, AssetAlias

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.operators.sink import TopicToTableOperator

TOPIC = "legacy.orders.to_warehouse"

with DAG("orders_to_topic", schedule=timedelta(minutes=1), catchup=False, max_active_runs=1):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_shop",
        table="orders",
        watermark_columns=["updated_at"],
        topic=TOPIC,
        topic_partitions=3,
    )

with DAG("topic_to_orders", schedule=[AssetAlias(f"legacy-events:{TOPIC}")], catchup=False, max_active_runs=1):
    TopicToTableOperator(task_id="apply_orders", topics=TOPIC, target_conn_id="warehouse", table="orders")
