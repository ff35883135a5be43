"""Every insert, update and delete of a shop on MariaDB, for consumers that read Maxwell's messages."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.params import snapshot_params

with DAG(
    "change_log_mariadb", schedule=timedelta(minutes=5), catchup=False, max_active_runs=1, params=snapshot_params()
):
    ChangeLogDrainOperator(
        task_id="drain",
        source_conn_id="legacy_webshop",
        tables=["shop.orders", "shop.customers"],
        exclude_columns={"shop.customers": ["ssn"]},
        envelope="maxwell",
        topic="legacy.maxwell.{table}",
        topic_partitions=3,
    )
