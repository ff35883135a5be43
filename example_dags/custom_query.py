"""Orders with the name of their customer, by a query of one's own."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("custom_query", schedule="@hourly", catchup=False):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_crm",
        sql="""
            SELECT o.id, o.status, o.total, o.updated_at, c.name AS customer
            FROM orders o JOIN customers c ON c.id = o.customer_id
        """,
        watermark_columns=["updated_at"],
        key_columns=["id"],
        topic="legacy.orders_with_customer",
        topic_partitions=3,
    )
