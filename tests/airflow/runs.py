"""DAGs of one task under every timetable, and what is seen of their runs."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest

from airflow_legacy_events.watermarks import variable
from tests.airflow import metadata
from tests.airflow.scheduler import Dag

HEAD = """
import datetime as dt
from airflow.sdk import (
    DAG, Asset, CronDataIntervalTimetable, CronPartitionTimetable, CronTriggerTimetable, DeltaTriggerTimetable
)
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.params import replay_params
"""
INTERVAL = 'CronDataIntervalTimetable("0 0 * * *", timezone="UTC")'
SCHEDULES = {
    "cron text": '"0 0 * * *"',
    "timedelta": "dt.timedelta(days=1)",
    "data interval": INTERVAL,
    "trigger with interval": 'CronTriggerTimetable("0 0 * * *", timezone="UTC", interval=dt.timedelta(days=1))',
    "partition": 'CronPartitionTimetable("0 0 * * *", timezone="UTC")',
    "none": "None",
    "assets": '[Asset("waits-for")]',
}

LIVE_TYPES = [
    *("scheduled", "manual", "asset_triggered", "asset_materialization"),
    pytest.param("operator_triggered", marks=pytest.mark.airflow33),
]


def at(day, hour=0):
    return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)


def one_task(topic, schedule=INTERVAL, dag_arguments="", **arguments):
    """A DAG of one operator on the topic."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    words = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]} | arguments
    text = ", ".join(f"{name}={value!r}" for name, value in words.items() if value is not None)
    return Dag.write(
        f"""{HEAD}
with DAG({dag_id!r}, schedule={schedule}, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc), catchup=False,
         {dag_arguments}):
    IncrementalQueryOperator(task_id="publish", topic={topic!r}, {text})
""",
        dag_id,
    )


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


def report(run):
    return metadata.pulled(run, "publish") or metadata.pulled(run, "publish", key="report")


def watermark(topic):
    text = metadata.variables().get(f"{variable.PREFIX}legacy_shop.orders@{topic}")
    return None if text is None else [one["text"] for one in json.loads(text)["values"] or []]


def progress(topic):
    return [key for key in metadata.variables() if topic in key and "~23" in key]
