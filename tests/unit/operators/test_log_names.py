"""Names of a log's stream: that of its slot, or of DAG and task where the server has no slots."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators._mapped import refuse_shared_connection
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.streams.inlets import stream_assets
from airflow_legacy_events.streams.naming import slot_of
from airflow_legacy_events.streams.new_stream import Beginner, NewStream
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.topic_run import TopicRun
from airflow_legacy_events.watermarks import registration
from airflow_legacy_events.watermarks.asset import watermark_asset
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore

BY_SLOT, BY_TASK = "shop_db.legacy_events_shop_drain@log", "shop_db.shop.drain@log"


def log(dag="shop", **arguments):
    with DAG(dag, schedule=None):
        return ChangeLogDrainOperator(
            **{"task_id": "drain", "source_conn_id": "shop_db", "tables": ["shop.orders"]} | arguments
        )


def without_slots(task):
    return task._spec().behind(SimpleNamespace(has_slots=False))


def run_of(task):
    ti = SimpleNamespace(dag_id="shop", task_id="drain", run_id="r", map_index=None, try_number=1)
    return TopicRun(task._spec(), StreamOptions.of(task), {"ti": ti}, logging.getLogger(__name__))


@pytest.mark.parametrize(
    ("uri", "stream"),
    [
        ("postgresql://reader@127.0.0.1:1/shop", BY_SLOT),
        ("mysql://reader@127.0.0.1:1/shop", BY_TASK),
        ('{"conn_type": "legacy_database", "extra": {"sqlalchemy_url": "mariadb://r@127.0.0.1:1/shop"}}', BY_TASK),
        (None, BY_SLOT),
    ],
    ids=["postgres", "mysql", "own-type", "missing"],
)
def test_a_run_learns_the_name_from_its_connection(monkeypatch, uri, stream):
    monkeypatch.delenv("AIRFLOW_CONN_SHOP_DB", raising=False)
    if uri is not None:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", uri)
    run = run_of(log())
    run.find_stream()
    assert (run.stream.name, run.report.stream) == (stream, stream)


def test_without_slots_the_log_has_no_server_objects():
    spec = without_slots(log())
    found = spec._options(spec.stream("t", "shop", "drain"))
    assert (found.stream, found.slot, found.publication, found.given) == (BY_TASK, None, None, False)
    assert (spec.stream_name(None), spec.slot_in(BY_TASK)) == (BY_TASK, None)


@pytest.mark.parametrize("argument", ["slot", "publication", "message_topics"])
def test_what_only_postgresql_has_is_refused_elsewhere(argument):
    given = {"outbox": "t"} if argument == "message_topics" else "s"
    spec = without_slots(log(**{argument: given}))
    with pytest.raises(ConfigurationError, match=rf"^leave out {argument}=, of PostgreSQL alone: .*'shop_db'"):
        spec.resolved()
    log(**{argument: given})._spec().resolved()


def test_all_of_it_is_refused_at_once():
    spec = without_slots(log(slot="s", publication="p"))
    with pytest.raises(ConfigurationError, match=r"^leave out slot= and publication="):
        spec.resolved()


@pytest.mark.parametrize(("arguments", "names"), [({}, [BY_SLOT, BY_TASK]), ({"slot": "s"}, ["shop_db.s@log"])])
def test_a_watermark_in_an_asset_has_an_inlet_for_each_name_it_may_have(arguments, names):
    found = stream_assets(log(**arguments)._spec(), "t")
    assert [one.name for one in found] == [watermark_asset(name).name for name in names]


@pytest.mark.parametrize(("stream", "slot"), [("a.b.s@log", "s"), ("a.b.d.t@log", None), ("a.b.d.e.t@log", None)])
def test_the_name_shows_whether_there_is_a_slot(stream, slot):
    assert slot_of(stream, "a.b") == slot


@pytest.mark.parametrize(("written", "refused"), [("shop_db", True), ("{{ params.conn }}", False)])
def test_map_indexes_need_a_connection_each(written, refused):
    task = SimpleNamespace(expand_input=SimpleNamespace(value={"tables": [1, 2]}))
    ti = SimpleNamespace(
        task_id="drain", dag_id="shop", run_id="r", map_index=1, get_ti_count=lambda **_: 2, try_number=1
    )
    context = {"ti": ti, "dag": SimpleNamespace(get_task=lambda _: task)}
    given = {"source_conn_id": written, "slot": None}
    if not refused:
        refuse_shared_connection(context, given, BY_TASK)
        return
    with pytest.raises(ConfigurationError, match=r"share the stream 'shop_db\.shop\.drain@log'(.|\n)*Map it over"):
        refuse_shared_connection(context, given, BY_TASK)


def test_a_renamed_connection_is_reported_with_the_way_to_continue(monkeypatch, caplog):
    old = "old_db.shop.drain@log"
    store = MemoryWatermarkStore()
    entry = registration.Registration(store.name, "shop", "drain", "2026-11-23T09:15:02+00:00")
    monkeypatch.setattr("airflow_legacy_events.streams.new_stream.predecessors", lambda *_: {old: entry})
    store.save(old, Watermark(("binlog.000001:4", "0"), None, {"source": "old_db"}), expected=None)
    rule = NewStream(Beginner(BY_TASK, "t", "shop", "drain"), without_slots(log()), None, store, "warn", logging.root)
    rule.loaded(None)
    assert f"watermark rename {old} {BY_TASK} --source-conn-id shop_db" in caplog.text
    assert "slot" not in caplog.text
    assert "stream=" not in caplog.text
