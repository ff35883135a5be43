"""Events that the application wrote in its own transaction, every minute; published rows leave the table."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.outbox import OutboxDrainOperator

with DAG("outbox", schedule=timedelta(minutes=1), catchup=False, max_active_runs=1):
    OutboxDrainOperator(
        task_id="drain",
        source_conn_id="legacy_crm",
        table="outbox",
        topic="crm.event.{aggregate_type}",
        topic_partitions=3,
        allowed_topics=["crm.event.*"],
        headers={"eventType": "{event_type}"},
    )
