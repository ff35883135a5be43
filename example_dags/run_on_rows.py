"""A run as soon as there are rows: the triggerer looks, no worker waits."""

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.triggers.pending import PendingEventsTrigger

stream = {
    "source_conn_id": "legacy_crm",
    "table": "orders",
    "watermark_columns": ["updated_at", "id"],
    "topic": "legacy.orders_at_once",
}
news = AssetWatcher(name="rows_in_orders", trigger=PendingEventsTrigger(**stream))

with DAG("run_on_rows", schedule=[Asset("orders_have_rows", watchers=[news])], max_active_runs=1):
    IncrementalQueryOperator(task_id="publish_orders", topic_partitions=3, **stream)
