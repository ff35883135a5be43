"""An outbox that is drained when a NOTIFY tells so: nobody would look at it within the time of a test."""

import datetime as dt

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger

columns = {"aggregate_type": None}
outbox = {"source_conn_id": "legacy_crm", "table": "drained", "columns": columns}
trigger = PendingOutboxTrigger(channel="drained", poll_interval=dt.timedelta(hours=1), **outbox)
rows = Asset("drained_has_rows", watchers=[AssetWatcher(name="rows_in_drained", trigger=trigger)])

with DAG("drained", schedule=[rows], start_date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), max_active_runs=1):
    OutboxDrainOperator(task_id="drain", topic="real.drained", topic_partitions=1, **outbox)
