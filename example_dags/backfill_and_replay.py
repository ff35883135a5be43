"""Orders day by day: backfills and replays send a window again while the live stream continues."""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.params import replay_params

with DAG(
    "backfill_and_replay",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params=replay_params(),
):
    IncrementalQueryOperator(
        task_id="publish_orders",
        source_conn_id="legacy_crm",
        table="orders",
        watermark_columns=["updated_at", "id"],
        topic="legacy.orders.by_day",
        topic_partitions=3,
    )
