"""Every store under what Airflow does to a task: retry, clear, a DAG that can't be imported, an edit by hand.

Never a silent full load, never a silent gap.
"""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from airflow_legacy_events.watermarks import asset, registration, variable
from tests.airflow import metadata
from tests.airflow.scheduler import Dag

STORES = ["variable", "table:watermarks", pytest.param("asset", marks=pytest.mark.airflow33), "xcom"]
HEAD = """
import datetime as dt
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
"""
FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NEW = "INSERT INTO orders VALUES ({}, 1, 'new', NULL, '2026-11-0{} 08:00:00')"


@pytest.fixture(params=STORES)
def store(request):
    return request.param


@pytest.fixture
def stream(topic):
    return f"legacy_shop.orders@{topic}"


class Runs:
    """Dated runs of one DAG, one day after the other."""

    def __init__(self, dag):
        self.dag, self.number = dag, 0

    def __call__(self, **arguments):
        date = FIRST + self.number * DAY
        self.number += 1
        return self.dag.run(**({"run_type": "scheduled", "logical_date": date, "interval": (date, date)} | arguments))


@pytest.fixture
def dag_id():
    return f"dag_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def text(dag_id, topic, store):
    """Returns a function that writes the DAG."""

    def text(store=store, **arguments):
        words = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]} | arguments
        more = ", ".join(f"{name}={value!r}" for name, value in words.items())
        return f"""{HEAD}
with DAG({dag_id!r}, schedule=None, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc)):
    IncrementalQueryOperator(task_id="publish", topic={topic!r}, watermark_store={store!r}, {more})
"""

    return text


@pytest.fixture
def runs(text, dag_id, shop, tmp_path, broker):
    metadata.put_connection("watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))
    return Runs(Dag.write(text(), dag_id))


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


def state(run):
    return metadata.states(run)["publish"]


def put(store, stream, run, text, tmp_path):
    """Write a watermark as a person does, in the user interface or the database; None deletes it."""
    if store == "variable":
        key = variable.PREFIX + stream
        metadata.drop_variable(key) if text is None else metadata.put_variable(key, text)
    elif store == "xcom":
        metadata.put_xcom(run, "publish", "watermark", text and {stream: text})
    elif store == "asset":
        with metadata.as_server():
            from airflow_legacy_events.watermarks.asset_server import ServerAssetState

            found = ServerAssetState(asset.watermark_asset(stream).name)
            found.delete(asset.KEY) if text is None else found.set(asset.KEY, text)
    else:
        engine = sa.create_engine(f"sqlite:///{tmp_path}/watermarks.db")
        with engine.begin() as connection:
            statement = "DELETE FROM legacy_events_watermarks"
            if text is not None:
                statement = "UPDATE legacy_events_watermarks SET watermark = 'nonsense'"
            connection.execute(sa.text(statement))


def test_each_run_goes_on_where_the_last_one_came_to(shop, broker, runs, topic, stream, store):
    runs()
    shop.execute(NEW.format(4, 3))
    runs()
    runs()

    assert ids(broker.read(topic)) == [1, 2, 3, 4]
    assert registration.PREFIX + stream in metadata.variables()


def test_a_retry_goes_on(shop, broker, text, dag_id, topic, tmp_path):
    metadata.put_connection("watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))
    runs = Runs(Dag.write(text(retries=1, retry_delay=0), dag_id))
    runs()
    shop.execute(NEW.format(4, 3))
    (file,) = tmp_path.glob("shop.db")
    file.rename(tmp_path / "away")
    failed = runs()
    assert state(failed) == "up_for_retry"
    (tmp_path / "away").rename(file)

    assert state(runs.dag.retry(failed)) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 4]


def test_a_first_load_that_failed_begins_again_and_is_not_called_lost(shop, broker, runs, topic):
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    failed = runs()
    assert state(failed) == "failed"
    shop.execute("ALTER TABLE hidden RENAME TO orders")

    assert state(runs.dag.clear(failed)) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3]


def test_a_cleared_run_leaves_no_gap_and_only_xcoms_repeat(shop, broker, runs, topic, store):
    first = runs()
    shop.execute(NEW.format(4, 3))

    runs.dag.clear(first)
    shop.execute(NEW.format(5, 4))
    runs()

    assert ids(broker.read(topic)) == ([1, 2, 3, 1, 2, 3, 4, 5] if store == "xcom" else [1, 2, 3, 4, 5])


def test_a_dag_that_cannot_be_imported_for_a_while_loses_nothing(shop, broker, runs, text, dag_id, topic):
    runs()
    shop.execute(NEW.format(4, 3))

    metadata.forget_stale_assets(dag_id)
    runs.dag = Dag.write(text(), dag_id)
    assert state(runs()) == "success"

    assert ids(broker.read(topic)) == [1, 2, 3, 4]


def test_what_a_person_edited_to_nonsense_fails_before_anything_is_read(
    shop, broker, runs, topic, stream, store, tmp_path
):
    last = runs()
    shop.execute(NEW.format(4, 3))
    put(store, stream, last, "nonsense", tmp_path)

    assert state(runs()) == "failed"
    assert ids(broker.read(topic)) == [1, 2, 3]


def test_a_watermark_that_is_gone_fails_before_anything_is_read(shop, broker, runs, topic, stream, store, tmp_path):
    last = runs()
    put(store, stream, last, None, tmp_path)

    assert state(runs()) == "failed"
    assert ids(broker.read(topic)) == [1, 2, 3]


def test_another_store_is_refused_until_the_watermark_was_moved(shop, broker, runs, text, topic, stream, store):
    dag_id = runs.dag.dag.dag_id
    runs()
    shop.execute(NEW.format(4, 3))
    other = "variable" if store != "variable" else "table:watermarks"
    runs.dag = Dag.write(text(store=other), dag_id)
    assert state(runs()) == "failed"

    metadata.cli("legacy-events", "watermark", "copy", stream, "--to", other)
    assert state(runs()) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 4]

    runs.dag = Dag.write(text(), dag_id)
    assert state(runs()) == "failed"
    shop.execute(NEW.format(5, 4))
    metadata.cli("legacy-events", "watermark", "copy", stream, "--to", store)
    assert state(runs()) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 4, 5]


def test_while_one_writer_works_the_next_is_skipped_and_nothing_is_lost(shop, broker, runs, topic, stream):
    from airflow_legacy_events.hooks.database import LegacyDatabaseHook

    runs()
    shop.execute(NEW.format(4, 3))
    holder = {"dag": "other", "task": "publish", "run": "r9", "map_index": -1, "try": 1, "host": "h", "pid": 7}
    with metadata.as_server():
        database = LegacyDatabaseHook("legacy_shop").get_database()
    with database.lock(stream, holder):
        assert state(runs()) == "skipped"

    assert state(runs()) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 4]


def test_a_replay_between_two_live_runs_moves_nothing(shop, broker, runs, topic):
    runs()
    window = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    assert state(runs(conf={"replay": window})) == "success"
    shop.execute(NEW.format(4, 3))
    runs()

    assert ids(broker.read(topic)) == [1, 2, 3, 1, 2, 4]


@pytest.mark.parametrize("store", [*STORES[:-1], pytest.param("xcom", marks=pytest.mark.airflow33)])
def test_a_replay_that_failed_on_its_way_goes_on_where_it_was_saved(shop, broker, text, dag_id, topic, tmp_path):
    metadata.put_connection("watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))
    runs = Runs(Dag.write(text(batch_rows=1), dag_id))
    shop.execute("UPDATE orders SET total = 'much' WHERE id = 2")
    failed = runs(conf={"replay": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T00:00:00Z"}})
    assert state(failed) == "failed"
    assert ids(broker.read(topic)) == [1]
    shop.execute("UPDATE orders SET total = 5 WHERE id = 2")

    again = runs.dag.clear(failed)

    assert metadata.pulled(again, "publish")["mode"] == "replay"
    assert ids(broker.read(topic)) == [1, 2, 3]
    assert not [key for key in metadata.variables() if topic in key]


def test_what_was_forgotten_begins_anew(shop, broker, runs, topic, stream):
    runs()
    metadata.cli("legacy-events", "watermark", "forget", stream)
    runs()

    assert ids(broker.read(topic)) == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("store", ["xcom"])
def test_xcoms_need_a_logical_date(shop, broker, runs, topic, store):
    assert state(runs(run_type="manual", logical_date=None, interval=None)) == "failed"
    assert broker.read(topic) == []


@pytest.mark.parametrize("store", ["xcom", "asset"])
def test_stores_of_one_task_are_refused_by_a_mapped_one(shop, broker, dag_id, topic, store):
    mapped = Dag.write(
        f"""{HEAD}
with DAG({dag_id!r}, schedule=None, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc)):
    IncrementalQueryOperator.partial(
        task_id="publish", source_conn_id="legacy_shop", topic={topic!r}, watermark_columns=["id"],
        watermark_store={store!r}
    ).expand(table=["orders", "audit_log"])
""",
        dag_id,
    )
    ended = mapped.run("scheduled", logical_date=FIRST, interval=(FIRST, FIRST))

    assert set(metadata.states(ended).values()) == {"failed"}
    assert broker.read(topic) == []


@pytest.mark.parametrize("name", ["source_conn_id", "table", "topic"])
def test_the_asset_store_needs_a_name_without_templates(name):
    from airflow_legacy_events.errors import ConfigurationError
    from airflow_legacy_events.operators.query import IncrementalQueryOperator

    words = {"source_conn_id": "crm", "table": "orders", "topic": "t", "watermark_columns": ["id"]}
    words[name] = "{{ params.x }}"
    with pytest.raises(ConfigurationError, match=f"{name}= holds a template"):
        IncrementalQueryOperator(task_id="t", watermark_store="asset", **words)
    words["stream"] = "orders"
    found = IncrementalQueryOperator(task_id="t", watermark_store="asset", **words)
    assert [one.name for one in found.inlets] == ["legacy-events:orders"]


@pytest.mark.parametrize("name", ["source_conn_id", "table", "topic", "stream"])
def test_the_asset_store_needs_a_name_without_the_output_of_another_task(name):
    from airflow.sdk import DAG, task

    from airflow_legacy_events.errors import ConfigurationError
    from airflow_legacy_events.operators.query import IncrementalQueryOperator

    @task
    def found():
        return "orders"

    words = {"source_conn_id": "crm", "table": "orders", "topic": "t", "watermark_columns": ["id"]}
    with DAG("named_by_a_task", schedule=None):
        words[name] = found()
        with pytest.raises(ConfigurationError, match=f"{name}= holds a template"):
            IncrementalQueryOperator(task_id="t", watermark_store="asset", **words)


def test_the_asset_store_names_the_argument_that_the_name_depends_on():
    from airflow_legacy_events.errors import ConfigurationError
    from airflow_legacy_events.operators.query import IncrementalQueryOperator

    words = dict.fromkeys(("source_conn_id", "table", "topic", "stream"), "{{ params.x }}")
    with pytest.raises(ConfigurationError, match="and stream= holds a template"):
        IncrementalQueryOperator(task_id="t", watermark_store="asset", watermark_columns=["id"], **words)


def test_an_empty_name_is_none_for_the_asset_store_as_it_is_for_a_run():
    from airflow_legacy_events.operators.query import IncrementalQueryOperator

    words = {"source_conn_id": "crm", "table": "orders", "topic": "t", "watermark_columns": ["id"], "stream": ""}
    found = IncrementalQueryOperator(task_id="t", watermark_store="asset", **words)
    assert [one.name for one in found.inlets] == ["legacy-events:crm.orders@t"]
