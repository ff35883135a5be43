"""New audit entries, which never change once they are written."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG("auto_increment_id", schedule="*/10 * * * *", catchup=False):
    IncrementalQueryOperator(
        task_id="publish_audit_log",
        source_conn_id="legacy_crm",
        table="audit_log",
        watermark_columns=["id"],
        exclude_columns=["session_token"],
        topic="legacy.audit_log",
        topic_partitions=3,
    )
