"""Streams beside each other, one stream twice, a task beside a stream, and a stream that fails in the middle."""

import datetime as dt

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from held import HeldOperator

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.support.airflow_features import FIRST_MEETINGS, TOGETHER

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SOURCE = {"source_conn_id": "legacy_crm", "watermark_columns": ["updated_at"], "topic_partitions": 1}

with DAG("four", schedule=None, start_date=START):
    IncrementalQueryOperator.partial(task_id="publish", topic="real.four", rows_per_second=20, **SOURCE).expand(
        table=["four_1", "four_2", "four_3", "four_4"]
    )

with DAG("busy", schedule=None, start_date=START):
    IncrementalQueryOperator(task_id="publish", table="busy", topic="real.busy", rows_per_second=20, **SOURCE)

for number in range(FIRST_MEETINGS):
    with DAG(f"together_{number}", schedule=None, start_date=START):
        HeldOperator.partial(task_id="publish", topic=f"real.together_{number}", **SOURCE).expand(table=list(TOGETHER))

with DAG("neighbour", schedule=None, start_date=START):
    IncrementalQueryOperator(task_id="publish", table="neighbour", topic="real.neighbour", **SOURCE)
    EmptyOperator(task_id="other") >> EmptyOperator(task_id="behind")

with DAG("red", schedule=None, start_date=START):
    IncrementalQueryOperator(task_id="publish", table="red", topic="real.red", batch_rows=10, **SOURCE)

with DAG("overlapping", schedule=None, start_date=START):
    IncrementalQueryOperator(task_id="publish", table="overlapping", topic="real.overlapping", **SOURCE)
