"""Two outboxes, each drained as soon as a trigger sees rows: one looks every second, one is told by a NOTIFY."""

import datetime as dt
import os

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from tests.benchmarks.outbox.latency import TOPICS, WAYS

for way, waiting in WAYS.items():
    outbox = {"source_conn_id": "legacy_crm", "table": way}
    watcher = AssetWatcher(name=f"rows_in_{way}", trigger=PendingOutboxTrigger(**outbox, **waiting))
    with DAG(
        way,
        schedule=[Asset(f"{way}_has_rows", watchers=[watcher])],
        start_date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        max_active_runs=1,
    ):
        OutboxDrainOperator(task_id="drain", topic=f"{os.environ[TOPICS]}.{way}", topic_partitions=1, **outbox)
