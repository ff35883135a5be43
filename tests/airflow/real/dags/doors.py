"""What people meet first: a connection that was made in the user interface, and what they get wrong."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

STREAM = {"source_conn_id": "made_by_hand", "table": "doors", "watermark_columns": ["updated_at"]}

with DAG("doors", schedule=None):
    for task_id, given in {
        "publish": {"topic_partitions": 1},
        "missing_connection": {"topic_partitions": 1, "source_conn_id": "legacy_erp"},
        "missing_table": {"topic_partitions": 1, "table": "door"},
        "missing_topic": {},
    }.items():
        IncrementalQueryOperator(task_id=task_id, topic=f"real.doors.{task_id}", retries=0, **{**STREAM, **given})
