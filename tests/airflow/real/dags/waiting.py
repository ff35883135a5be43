"""Many sensors that wait, in the triggerer, for news of one table."""

import datetime as dt

from airflow.sdk import DAG

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from tests.support.profile import LONG

stream = {
    "source_conn_id": "legacy_crm",
    "table": "waiting",
    "watermark_columns": ["updated_at"],
    "topic": "real.waiting",
}
often = {} if LONG else {"poll_interval": dt.timedelta(seconds=1)}

with DAG("waiting", schedule=None, start_date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC)):
    publish = IncrementalQueryOperator(task_id="publish", topic_partitions=1, **stream)
    for number in range(200 if LONG else 3):
        publish >> PendingEventsSensor(task_id=f"wait_{number}", deferrable=True, **stream, **often)
