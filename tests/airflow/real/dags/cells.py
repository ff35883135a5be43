"""One table, by every type of run."""

import datetime as dt

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable

from airflow_legacy_events.operators.query import IncrementalQueryOperator

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def publish(topic: str) -> IncrementalQueryOperator:
    return IncrementalQueryOperator(
        task_id="publish",
        source_conn_id="legacy_crm",
        table="cells",
        watermark_columns=["updated_at"],
        topic=topic,
        topic_partitions=1,
    )


with DAG("cells", schedule=[Asset("cells")], start_date=START):
    publish("real.cells")

daily = CronDataIntervalTimetable("0 0 * * *", timezone="UTC")
with DAG("cells_daily", schedule=daily, start_date=START, catchup=False):
    publish("real.cells_daily")

with DAG("cells_caller", schedule=None, start_date=START):
    TriggerDagRunOperator(task_id="call", trigger_dag_id="cells", logical_date=None)
