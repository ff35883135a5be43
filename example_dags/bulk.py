"""The whole price list, every night: the table has nothing that tells what changed."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("bulk", schedule="@daily", catchup=False):
    IncrementalQueryOperator(
        task_id="publish_prices",
        source_conn_id="legacy_shop",
        table="prices",
        watermark_columns=[],
        topic="legacy.prices",
        topic_partitions=1,
        envelope="plain",
    )
