"""A daily stream whose past days are sent again by backfills."""

import datetime as dt

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_legacy_events.operators.query import IncrementalQueryOperator

START = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=4)

daily = CronDataIntervalTimetable("0 0 * * *", timezone="UTC")
with DAG("backfilled", schedule=daily, start_date=START, catchup=False):
    IncrementalQueryOperator(
        task_id="publish",
        source_conn_id="legacy_crm",
        table="backfilled",
        watermark_columns=["updated_at"],
        topic="real.backfilled",
        topic_partitions=1,
        batch_rows=10,
        rows_per_second=8,
        retries=2,
        retry_delay=dt.timedelta(seconds=1),
    )
