"""Mapped tasks of one templated query: each index has a stream of its own, or nothing is read."""

import uuid

import pytest

from tests.airflow import metadata
from tests.support.messages import one_line

QUERY = "SELECT id, customer_id, updated_at FROM orders WHERE customer_id = {{ params.tenant }}"
TENANTS = [{"tenant": 1}, {"tenant": 2}]


@pytest.fixture
def run(topic):
    """Returns a function that runs a DAG with one mapped task, what is expanded as the code of a call."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def run(expanded, *, defaults=None, **arguments):
        given = {"source_conn_id": "legacy_shop", "topic": topic, "sql": QUERY, "watermark_columns": ["updated_at"]}
        given |= {"key_columns": ["id"]} | arguments
        words = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
        text = f"""
from airflow.sdk import DAG, task
from airflow_legacy_events.operators.query import IncrementalQueryOperator
with DAG({dag_id!r}, schedule=None, params={{"tenant": 0}}, default_args={defaults or {}!r}):
    @task
    def tenants(count):
        return [{{"tenant": number + 1}} for number in range(count)]
    IncrementalQueryOperator.partial(task_id="publish", {words}).{expanded}
"""
        return metadata.run_dag(text, dag_id)

    return run


def sent(broker, *topics):
    return sorted(message.event["data"]["id"] for topic in topics for message in broker.read(topic))


def states(ended):
    return {name: state for name, state in metadata.states(ended).items() if name.startswith("publish")}


REFUSED = {"publish[0]": "failed", "publish[1]": "failed"}
GREEN = {"publish[0]": "success", "publish[1]": "success"}


def test_indexes_that_would_share_a_watermark_are_refused_before_anything_is_read(shop, broker, topic, run, capsys):
    ended = run("expand(params=tenants(2))")

    assert states(ended) == REFUSED
    assert broker.read(topic) == []
    assert not [key for key in metadata.variables() if topic in key]
    out = one_line(capsys.readouterr().out)
    assert "is mapped over 2 elements with sql=, and source_conn_id= and topic= give all of them the stream" in out
    assert 'stream="…{{ … }}"' in out
    assert "Nothing was read" in out


def test_what_all_tasks_of_a_dag_are_given_is_the_same_for_all_indexes_too(shop, broker, topic, run):
    everywhere = {"source_conn_id": "legacy_shop", "topic": topic}
    assert states(run(f"expand(params={TENANTS})", defaults=everywhere, source_conn_id=None, topic=None)) == REFUSED
    each = [{"params": one} for one in TENANTS]
    assert states(run(f"expand_kwargs({each})", defaults=everywhere, source_conn_id=None, topic=None)) == REFUSED


def test_a_name_without_a_template_is_the_same_for_all_of_them(shop, broker, topic, run, capsys):
    assert states(run(f"expand(params={TENANTS})", stream="tenants")) == REFUSED
    assert "and stream= give all of them the stream 'tenants'" in one_line(capsys.readouterr().out)


def test_with_a_stream_for_each_tenant_every_row_is_sent_whatever_stands_in_front_of_the_list(shop, broker, topic, run):
    named = {"stream": f"{topic} of {{{{ params.tenant }}}}"}
    assert states(run(f"expand(params={TENANTS})", **named)) == GREEN
    assert sent(broker, topic) == [1, 2, 3]
    shop.execute("INSERT INTO customers VALUES (3, 'Cyd')")
    shop.execute("INSERT INTO orders VALUES (4, 3, 'new', NULL, '2026-10-01 08:00:00')")

    ended = run("expand(params=[{'tenant': 3}, {'tenant': 1}, {'tenant': 2}])", **named)

    assert states(ended) == {**GREEN, "publish[2]": "success"}
    assert sent(broker, topic) == [1, 2, 3, 4]


def test_one_index_alone_goes_on_under_the_name_that_it_has(shop, broker, topic, run):
    assert states(run("expand(params=[{'tenant': 1}])")) == {"publish[0]": "success"}
    shop.execute("INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-05 08:00:00')")
    assert states(run("expand(params=tenants(1))")) == {"publish[0]": "success"}
    assert sent(broker, topic) == [1, 3, 4]

    shop.execute("INSERT INTO orders VALUES (5, 2, 'new', NULL, '2026-11-04 08:00:00')")
    assert states(run(f"expand(params={TENANTS})")) == REFUSED
    assert sent(broker, topic) == [1, 3, 4]


def test_indexes_with_a_topic_or_a_connection_of_their_own_go_on(shop, broker, topic, run):
    other = broker.make()
    everything = "SELECT id, customer_id, updated_at FROM orders"
    ended = run(f"expand(topic={[topic, other]})", topic=None, sql=everything)
    assert states(ended) == GREEN
    assert (sent(broker, topic), sent(broker, other)) == ([1, 2, 3], [1, 2, 3])

    ended = run("expand(source_conn_id=['legacy_shop', 'legacy_crm'])", source_conn_id=None, sql=everything)
    assert states(ended) == GREEN
    assert sent(broker, topic) == [1, 1, 2, 2, 3, 3]


def test_a_name_that_is_a_template_and_yet_the_same_is_found_by_the_second_index(shop, broker, topic, run, capsys):
    named = {"stream": f"{topic} of {{{{ dag.dag_id }}}}"}

    ended = run(f"expand(params={TENANTS})", **named)

    assert sorted(states(ended).values()) == ["failed", "success"]
    assert " of the same task, for another query than that of map index " in one_line(capsys.readouterr().out)


def test_tables_are_mapped_as_before(shop, broker, topic, run):
    ended = run("expand(table=['orders', 'orders'])", sql=None, key_columns=None)

    assert set(states(ended).values()) <= {"success", "skipped"}
    assert sent(broker, topic) == [1, 2, 3]
