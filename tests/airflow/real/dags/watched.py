"""A DAG that runs when its table has news."""

import datetime as dt

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.triggers.pending import PendingEventsTrigger

stream = {
    "source_conn_id": "legacy_crm",
    "table": "watched",
    "watermark_columns": ["updated_at"],
    "topic": "real.watched",
}
second = dt.timedelta(seconds=1)
news = Asset("news", watchers=[AssetWatcher(name="news", trigger=PendingEventsTrigger(**stream, poll_interval=second))])

with DAG("watched", schedule=[news], start_date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), max_active_runs=1):
    IncrementalQueryOperator(task_id="publish", topic_partitions=1, **stream)
