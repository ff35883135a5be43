"""What Airflow keeps of a DAG is the same after each parse: another text would be another version of the DAG."""

import datetime as dt
import json
import os
import subprocess
import sys

import pytest
import sqlalchemy as sa
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.serialization.serialized_objects import DagSerialization

from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.outbox import OutboxCloudEvents, PayloadEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.hooks.registry import LOG_ENVELOPES, OUTBOX_ENVELOPES, STORES, resolve
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.operators.connect import ConnectorRestartOperator
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor, ConnectorStateSensor
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.streams.specs.query import QuerySpec
from airflow_legacy_events.triggers.connect import ConnectorStateTrigger
from airflow_legacy_events.triggers.pending import PendingEventsTrigger
from airflow_legacy_events.watermarks.asset import AssetWatermarkStore
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.table import TableWatermarkStore
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore

QUERY = {"source_conn_id": "c", "watermark_columns": ["id"]}
STORE = {
    "asset": AssetWatermarkStore,
    "table": lambda: TableWatermarkStore(sa.create_engine("sqlite://"), "crm_state"),
    "variable": VariableWatermarkStore,
    "memory": MemoryWatermarkStore,
}


def kept(build):
    """What Airflow keeps of a DAG that is built anew."""
    with DAG("d", schedule=None, start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) as dag:
        build()
    return json.dumps(DagSerialization.to_dict(dag), default=str, sort_keys=True)


def check(build):
    first, held = kept(build), [object() for _ in range(100)]  # another parse finds other addresses
    assert kept(build) == first
    assert " at 0x" not in first
    return first, held


def mapped(operator, **arguments):
    operator.partial(task_id="t", **arguments).expand(table=["a", "b"])


@pytest.mark.parametrize(
    "make",
    [
        CloudEventsEnvelope,
        lambda: CloudEventsEnvelope(binary=True),
        lambda: CloudEventsEnvelope(content_type_header=False),
        PlainEnvelope,
    ],
)
def test_envelopes_of_mapped_queries(make):
    check(lambda: mapped(IncrementalQueryOperator, **QUERY, topic="x", envelope=make()))


@pytest.mark.parametrize("make", [OutboxCloudEvents, lambda: OutboxCloudEvents(binary=True), PayloadEnvelope])
def test_envelopes_of_mapped_drains(make):
    check(lambda: mapped(OutboxDrainOperator, source_conn_id="c", envelope=make()))


def test_mapped_change_logs():
    def build():
        ChangeLogDrainOperator.partial(task_id="t", source_conn_id="c", tables=["public.a"]).expand(slot=["a", "b"])

    check(build)


@pytest.mark.parametrize("store", STORE)
def test_stores_of_mapped_tasks(store):
    check(lambda: mapped(IncrementalQueryOperator, **QUERY, topic="x", watermark_store=STORE[store]()))
    check(lambda: mapped(PendingEventsSensor, **QUERY, topic="x", watermark_store=STORE[store]()))


def test_tasks_that_are_not_mapped_and_their_triggers():
    def build():
        asset = Asset(
            "rows", watchers=[AssetWatcher(name="w", trigger=PendingEventsTrigger(**QUERY, table="a", topic="x"))]
        )
        IncrementalQueryOperator(task_id="t", **QUERY, table="a", topic="x", envelope=PlainEnvelope(), inlets=[asset])
        OutboxDrainOperator(task_id="u", source_conn_id="c", table="a", envelope=OutboxCloudEvents())
        ChangeLogDrainOperator(
            task_id="v",
            source_conn_id="c",
            tables=["public.a", "sales.*"],
            key_columns={"public.a": ["n"]},
            envelope=PlainEnvelope(),
        )

    check(build)


def test_waits_for_connectors():
    def build():
        failed = ConnectorStateTrigger(connector="c", states=["failed"])
        asset = Asset("failed", watchers=[AssetWatcher(name="w", trigger=failed)])
        ConnectorCaughtUpSensor(task_id="t", connector="c", source_conn_id="s", inlets=[asset])
        ConnectorCaughtUpSensor.partial(task_id="u", source_conn_id="s").expand(connector=["a", "b"])
        ConnectorStateSensor.partial(task_id="v").expand(connector=["a", "b"])
        ConnectorRestartOperator.partial(task_id="x").expand(connector=["a", "b"])

    check(build)


def test_nothing_that_a_dag_file_may_hold_shows_its_address():
    made = [resolve(path) for path in {**LOG_ENVELOPES, **OUTBOX_ENVELOPES, **STORES}.values()]
    assert [kind for kind in made if kind.__repr__ is object.__repr__] == []
    assert "0x" not in repr(QuerySpec(conn_id="c", table="a", watermark_columns=("id",)))
    assert repr(CloudEventsEnvelope(binary=True)) != repr(CloudEventsEnvelope())


def test_a_store_shows_no_address_of_its_database():
    engine = sa.create_engine("postgresql+psycopg://reader:secret@db/crm")
    assert repr(TableWatermarkStore(engine, "crm_state")) == "TableWatermarkStore(name='table:crm_state')"


def test_another_process_keeps_the_same():
    code = """
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.unit.operators.test_serialized import QUERY, kept, mapped
print(kept(lambda: mapped(IncrementalQueryOperator, **QUERY, topic="x", envelope=CloudEventsEnvelope(binary=True))))
"""
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."}
    )
    envelope = CloudEventsEnvelope(binary=True)
    here = kept(lambda: mapped(IncrementalQueryOperator, **QUERY, topic="x", envelope=envelope))
    assert json.loads(there.stdout.splitlines()[-1])["dag"]["tasks"] == json.loads(here)["dag"]["tasks"]
