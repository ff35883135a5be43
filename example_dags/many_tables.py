"""A stream for each table, side by side in one task."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("many_tables", schedule="@hourly", catchup=False):
    IncrementalQueryOperator.partial(
        task_id="publish",
        source_conn_id="legacy_shop",
        topic_partitions=3,
    ).expand_kwargs(
        [
            {"table": "orders", "watermark_columns": ["updated_at"], "topic": "legacy.shop.orders"},
            {"table": "prices", "watermark_columns": [], "topic": "legacy.shop.prices"},
            {"table": "audit_log", "watermark_columns": ["id"], "topic": "legacy.shop.audit_log"},
        ]
    )
