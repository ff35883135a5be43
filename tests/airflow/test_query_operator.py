"""The operator inside Airflow: real Variables, templates, XComs, assets, a SQLite source and a real broker."""

import datetime as dt
import json
import uuid

import pytest

from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.watermarks import registration, variable
from tests.airflow import metadata

HEAD = """
import datetime
from airflow.sdk import DAG, task
from airflow_legacy_events.operators.query import IncrementalQueryOperator
"""


def dag_text(dag_id, topic, dag_arguments="schedule=None", **arguments):
    arguments = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]} | arguments
    words = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)
    return f"""{HEAD}
with DAG({dag_id!r}, {dag_arguments}):
    IncrementalQueryOperator(task_id="publish", topic={topic!r}, {words})
"""


@pytest.fixture
def dag_id():
    return f"dag_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def run(dag_id, topic):
    """Returns a function that runs a DAG of one operator on `topic`."""

    def run(**arguments):
        return metadata.run_dag(dag_text(dag_id, topic, **arguments), dag_id)

    return run


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


def test_a_run_delivers_what_is_new_and_returns_its_report(shop, broker, run, topic):
    first = run()
    shop.execute("INSERT INTO orders VALUES (4, 2, 'new', '1.50', '2026-11-03 08:00:00')")
    shop.execute("UPDATE orders SET status = 'paid', updated_at = '2026-11-04 08:00:00' WHERE id = 1")
    second = run()

    assert ids(broker.read(topic)) == [1, 2, 3, 4, 1]
    stream = f"legacy_shop.orders@{topic}"
    assert {key: metadata.pulled(first, "publish")[key] for key in ("stream", "rows", "events", "target_reached")} == {
        "stream": stream,
        "rows": 3,
        "events": 3,
        "target_reached": True,
    }
    report = metadata.pulled(second, "publish")
    assert report["watermark_from"] == metadata.pulled(first, "publish")["watermark_to"]
    assert report["events"] == 2
    assert report["topics"] == {topic: 2}
    event = broker.read(topic)[-1].event
    assert event["source"] == "/legacy_shop/orders"
    assert event["type"] == "legacy_shop.orders.changed"


def test_the_watermark_and_the_registration_lie_in_variables(shop, broker, run, topic, dag_id):
    ended = run()

    kept = metadata.variables()
    stream = f"legacy_shop.orders@{topic}"
    mark = json.loads(kept[variable.PREFIX + stream])
    assert [value["text"] for value in mark["values"]] == metadata.pulled(ended, "publish")["watermark_to"]
    facts = mark["facts"]
    assert facts["topic"] == topic
    assert facts["source"] == "legacy_shop"
    assert (facts["dag"], facts["task"], facts["run"]) == (dag_id, "publish", ended.run_id)
    assert facts["cluster"]
    registered = json.loads(kept[registration.PREFIX + stream])
    assert (registered["store"], registered["dag"], registered["task"]) == ("variable", dag_id, "publish")


def test_a_query_has_a_stream_of_its_own_and_names_itself_in_its_events(shop, broker, run, topic, dag_id):
    ended = run(table=None, sql="SELECT id, updated_at FROM orders", key_columns=["id"])

    assert metadata.pulled(ended, "publish")["stream"] == f"legacy_shop.{dag_id}.publish@{topic}"
    event = broker.read(topic)[0].event
    assert event["source"] == f"/legacy_shop/legacy_shop.{dag_id}.publish@{topic}"
    assert event["type"] == f"legacy_shop.{dag_id}.publish@{topic}.changed"


def test_arguments_are_templates(shop, broker, topic, dag_id):
    params = {"topic": topic, "table": "orders", "column": "updated_at", "since": "2026-11-02"}
    text = dag_text(
        dag_id,
        "{{ params.topic }}",
        f"schedule=None, params={params}",
        table="{{ params.table }}",
        watermark_columns=["{{ params.column }}"],
        stream="{{ dag.dag_id }}-{{ task.task_id }}",
        first_run="{{ params.since }}",
    )
    ended = metadata.run_dag(text, dag_id)

    assert metadata.pulled(ended, "publish")["stream"] == f"{dag_id}-publish"
    assert ids(broker.read(topic)) == [3]


def test_messages_are_shaped_by_arguments(shop, broker, topic, dag_id):
    text = dag_text(
        dag_id,
        topic,
        "schedule=None, params={'tenant': 'acme'}",
        columns=["id", "total"],
        decimals="number",
        event_type="{{ params.tenant }}.{status}",
        event_source="/shop",
        subject="order-{id}",
        headers={"tenant": "{{ params.tenant }}", "state": "{status}"},
        timestamp_column="updated_at",
    )
    ended = metadata.run_dag(text, dag_id)

    assert metadata.states(ended) == {"publish": "success"}
    message, *_ = broker.read(topic)
    event = message.event
    assert event["type"] == f"acme.{dict(message.headers)['state']}"
    assert (event["source"], event["subject"], event["data"]["id"]) == ("/shop", "order-1", 1)
    assert set(event["data"]) == {"id", "total"}
    assert not isinstance(event["data"]["total"], str)
    assert dict(message.headers)["tenant"] == "acme"


@pytest.mark.parametrize(
    "wrong",
    [{"subject": "{nix}"}, {"headers": {"a": "{nix}"}}, {"timestamp_column": "status"}, {"timestamp_column": "nix"}],
    ids=str,
)
def test_a_wrong_column_for_messages_fails_before_anything_is_read_or_kept(shop, broker, run, topic, wrong):
    ended = run(**wrong)

    assert metadata.states(ended) == {"publish": "failed"}
    assert broker.read(topic) == []
    assert not [key for key in metadata.variables() if topic in key]


def test_sql_may_be_a_file_beside_the_dag(shop, broker, topic, dag_id):
    sql = "SELECT id, updated_at FROM orders WHERE status = '{{ params.status }}'"
    (metadata.DAGS / f"{dag_id}.sql").write_text(sql)
    arguments = "schedule=None, params={'status': 'new'}"
    text = dag_text(dag_id, topic, arguments, table=None, sql=f"{dag_id}.sql", key_columns=["id"])
    ended = metadata.run_dag(text, dag_id)

    assert metadata.pulled(ended, "publish")["events"] == 2
    assert ids(broker.read(topic)) == [1, 3]


@pytest.mark.parametrize("as_file", [True, False])
def test_a_query_is_known_by_its_text_as_it_is_written_not_as_it_is_rendered(shop, broker, topic, dag_id, as_file):
    sql = "SELECT id, updated_at FROM orders WHERE id <= {{ params.upto }}"

    def run(text, upto):
        (metadata.DAGS / f"{dag_id}.sql").write_text(text)
        arguments = f"schedule=None, params={{'upto': {upto}}}"
        query = f"{dag_id}.sql" if as_file else text
        options = {"table": None, "sql": query, "key_columns": ["id"]}
        return metadata.states(metadata.run_dag(dag_text(dag_id, topic, arguments, **options), dag_id))["publish"]

    assert [run(sql, 2), run(sql, 3), run(f"{sql} AND 1 = 1", 3)] == ["success", "success", "failed"]
    assert ids(broker.read(topic)) == [1, 2, 3]


def test_mapped_tasks_serve_a_stream_each(shop, broker, topic, dag_id):
    text = f"""{HEAD}
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator.partial(task_id="publish", source_conn_id="legacy_shop", topic={topic!r}).expand_kwargs(
        [
            {{"table": "orders", "watermark_columns": ["updated_at"]}},
            {{"table": "audit_log", "watermark_columns": ["id"]}},
        ]
    )
"""
    ended = metadata.run_dag(text, dag_id)

    assert metadata.states(ended) == {"publish[0]": "success", "publish[1]": "success"}
    assert [metadata.pulled(ended, "publish", map_index=at)["stream"] for at in (0, 1)] == [
        f"legacy_shop.orders@{topic}",
        f"legacy_shop.audit_log@{topic}",
    ]
    assert len(broker.read(topic)) == 5


def test_a_run_with_events_wakes_who_waits_for_the_topic_and_an_empty_run_wakes_nobody(shop, broker, run, topic):
    first, second = run(), run()

    ((uri, extra, aliases),) = metadata.asset_events(first)
    report = metadata.pulled(first, "publish")
    assert uri == f"kafka://{broker.kafka.bootstrap}/{topic}"
    assert aliases == [f"legacy-events:{topic}"]
    assert {name: extra[name] for name in ("stream", "rows", "watermark_to", "mode")} == {
        "stream": report["stream"],
        "rows": 3,
        "watermark_to": report["watermark_to"],
        "mode": "live",
    }
    assert metadata.pulled(second, "publish")["events"] == 0
    assert metadata.asset_events(second) == []


def test_a_failed_run_leaves_its_report_under_a_key_of_its_own(shop, broker, run):
    ended = run(watermark_columns=["status", "nonsense"])

    assert metadata.states(ended) == {"publish": "failed"}
    assert metadata.pulled(ended, "publish") is None
    report = metadata.pulled(ended, "publish", key="report")
    assert report["events"] == 0
    assert report["completeness_reason"]


HOLDER = {"dag": "other", "task": "publish", "run": "r9", "map_index": -1, "try": 1, "host": "h", "pid": 7}


@pytest.mark.parametrize(("on_busy", "state"), [("skip", "skipped"), ("fail", "failed")])
def test_while_another_run_works_the_task_is_skipped_or_fails(shop, broker, run, topic, on_busy, state):
    with metadata.as_server():
        database = LegacyDatabaseHook("legacy_shop").get_database()
    with database.lock(f"legacy_shop.orders@{topic}", HOLDER):
        ended = run(on_busy=on_busy)

    assert metadata.states(ended) == {"publish": state}
    assert metadata.pulled(ended, "publish") is None
    assert not [key for key in metadata.variables() if topic in key]


def test_mapped_tasks_wake_who_waits_for_their_topic(shop, broker, topic, dag_id):
    text = f"""{HEAD}
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator.partial(
        task_id="publish", source_conn_id="legacy_shop", topic={topic!r}, watermark_columns=["id"]
    ).expand(table=["orders", "audit_log"])
"""
    ended = metadata.run_dag(text, dag_id)

    assert metadata.states(ended) == {"publish[0]": "success", "publish[1]": "success"}
    events = metadata.asset_events(ended)
    assert [uri for uri, _, _ in events] == [f"kafka://{broker.kafka.bootstrap}/{topic}"] * 2
    assert sorted(extra["stream"] for _, extra, _ in events) == [
        f"legacy_shop.audit_log@{topic}",
        f"legacy_shop.orders@{topic}",
    ]


def test_the_asset_names_the_first_broker_however_the_connection_lists_them(shop, broker, run, topic):
    address = broker.kafka.bootstrap
    listed = {"bootstrap.servers": f" PLAINTEXT://{address} , PLAINTEXT://{address}", "linger.ms": 5}
    metadata.put_connection("kafka_default", conn_type="kafka", extra=json.dumps(listed))
    ended = run()
    assert metadata.states(ended) == {"publish": "success"}
    assert [uri for uri, _, _ in metadata.asset_events(ended)] == [f"kafka://{address}/{topic}"]


def test_a_timeout_ends_the_run_at_a_batch_border_with_all_of_it_saved(shop, broker, run, topic):
    shop.executemany(
        "INSERT INTO orders VALUES (?, 1, 'new', NULL, '2026-11-05 08:00:00')",
        [(number,) for number in range(10, 1000)],
    )
    ended = run(rows_per_second=50, batch_rows=10, execution_timeout=dt.timedelta(seconds=5))

    assert metadata.states(ended) == {"publish": "failed"}
    report = metadata.pulled(ended, "publish", key="report")
    delivered = ids(broker.read(topic))
    assert 0 < len(delivered) < 993
    assert report["events"] == len(delivered)
    assert report["watermark_to"] is not None

    again = run()
    assert metadata.pulled(again, "publish")["watermark_from"] == report["watermark_to"]
    assert ids(broker.read(topic)) == [1, 2, 3, *range(10, 1000)]
