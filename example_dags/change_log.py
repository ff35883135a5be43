"""Every insert, update and delete of orders and customers, a topic each, every five minutes."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.operators.slots import ReplicationSlotCheckOperator
from airflow_legacy_events.params import snapshot_params

with DAG("change_log", schedule=timedelta(minutes=5), catchup=False, max_active_runs=1, params=snapshot_params()):
    ChangeLogDrainOperator(
        task_id="drain",
        source_conn_id="legacy_orders",
        tables=["public.orders", "public.customers"],
        exclude_columns={"public.customers": ["ssn"]},
        topic="legacy.cdc.{table}",
        topic_partitions=3,
    )
    ReplicationSlotCheckOperator(task_id="slots", source_conn_id="legacy_orders", max_wal="20 GB")
