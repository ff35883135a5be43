"""Stores by the names and objects that `watermark_store=` takes."""

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.registry import STORES
from airflow_legacy_events.streams.stores import needs_inlet, open_store, progress_store, store_class
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.opening import OpenableStore, Owner
from airflow_legacy_events.watermarks.task_state import TaskStateWatermarkStore
from airflow_legacy_events.watermarks.xcom import XComWatermarkStore
from tests.airflow import metadata
from tests.support.stores import Runs

STREAM = "crm.orders@t"
MARK = Watermark(("42",), None, {"run": "r1"})


class Own:
    """A store of somebody's own: the port and nothing else."""

    def __init__(self):
        self.kept = {}

    def load(self, stream):
        return self.kept.get(stream)

    def save(self, stream, new, *, expected):
        self.kept[stream] = new

    def forget(self, stream):
        self.kept.pop(stream, None)


def test_every_registered_name_is_a_store_that_opens_itself():
    assert {name: store_class(name).__name__ for name in STORES} == {
        "asset": "AssetWatermarkStore",
        "table": "TableWatermarkStore",
        "variable": "VariableWatermarkStore",
        "xcom": "XComWatermarkStore",
    }
    assert all(issubclass(store_class(name), OpenableStore) for name in STORES)
    assert isinstance(open_store("variable"), WatermarkStore)


def test_a_store_that_only_a_task_can_read_says_why():
    kinds = {name: store_class(name) for name in STORES}

    assert {name for name, kind in kinds.items() if kind.scope == "task"} == {"asset", "xcom"}
    assert all(bool(kind.task_reason) == (kind.scope == "task") for kind in kinds.values())


def test_an_object_is_used_by_its_port_and_registered_under_its_class():
    own = Own()
    store = open_store(own)
    store.save(STREAM, MARK, expected=None)

    assert store.name == f"{Own.__module__}.Own"
    assert store.load(STREAM) == own.kept[STREAM] == MARK
    assert not store.begins_again
    assert store.succeeded(STREAM) is None
    store.forget(STREAM)
    assert own.kept == {}


def test_an_object_of_a_known_class_is_another_store_than_the_one_of_that_name():
    assert open_store(store_class("variable")()).name == (
        "airflow_legacy_events.watermarks.variable.VariableWatermarkStore"
    )


def test_the_default_store_keeps_variables():
    assert open_store(None).name == "variable"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("redis", "watermark_store 'redis' is not known; known: asset, table, variable, xcom"),
        (7, r"watermark_store must be one of asset, table, variable, xcom, or an object with the methods load"),
        ("table", "needs a connection: write 'table:<conn_id>'"),
        ("variable:x", "'variable:x' has a detail that only 'table:<conn_id>' takes"),
        ("xcom", "belong to one task, but none was named"),
        (MemoryWatermarkStore, "found the class MemoryWatermarkStore itself"),
    ],
)
def test_anything_else_is_refused_with_what_is_possible(asked, message):
    with pytest.raises(ConfigurationError, match=message):
        open_store(asked)


@pytest.mark.parametrize(("asked", "configured"), [("table:crm", ""), ("table", "crm")])
def test_a_table_is_registered_under_its_connection(monkeypatch, tmp_path, asked, configured):
    monkeypatch.setenv("AIRFLOW__LEGACY_EVENTS__WATERMARK_TABLE_CONN_ID", configured)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f'{{"conn_type": "sqlite", "host": "{tmp_path}/w.db"}}')
    with metadata.as_server():
        assert open_store(asked).name == "table:crm"


def test_on_a_server_the_owner_tells_whose_xcoms_are_meant():
    assert open_store("xcom", owner=Owner("shop", "publish")).name == "xcom"


def test_only_the_state_of_an_asset_needs_an_inlet():
    own = [None, *STORES, "table:crm", "redis", Own(), 7]

    assert [one for one in own if needs_inlet(one)] == ["asset"]


def test_a_replay_keeps_its_progress_beside_the_watermark_where_that_can_hold_it():
    store = open_store(Own())

    assert progress_store(store, {}, dict) is store


@pytest.mark.parametrize(
    ("context", "kind"), [({}, MemoryWatermarkStore), ({"task_state_store": object()}, TaskStateWatermarkStore)]
)
def test_a_replay_beside_xcoms_keeps_it_in_the_tasks_state_and_leaves_what_the_live_run_left(context, kind):
    runs = Runs()

    assert type(progress_store(XComWatermarkStore(runs), context, lambda: {STREAM: "text"})) is kind
    assert runs.pushed == {STREAM: "text"}
