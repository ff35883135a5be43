"""A policy of row-level security inside Airflow: operators and those who wait take `row_security` alike."""

import uuid

import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.streams.directory.dry_run import rows_left
from airflow_legacy_events.streams.directory.moves import Preview
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from airflow_legacy_events.triggers.pending import PendingEventsTrigger
from tests.airflow import metadata

QUERY = {"table": "tenants", "watermark_columns": ["id"], "topic": "t"}
OUTBOX = {"table": "outbox"}
TAKERS = [
    (IncrementalQueryOperator, QUERY),
    (OutboxDrainOperator, OUTBOX),
    (PendingEventsSensor, QUERY),
    (PendingOutboxSensor, OUTBOX),
]


@pytest.fixture
def conn_id(postgres_database):
    """A connection of a role that a policy shows every second row."""
    name = f"legacy_{uuid.uuid4().hex[:8]}"
    for statement in (
        "CREATE TABLE tenants (id integer PRIMARY KEY)",
        "INSERT INTO tenants SELECT generate_series(1, 6)",
        "CREATE TABLE outbox (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text)",
        "INSERT INTO outbox SELECT n, 'order', n::text, 'made', '{}' FROM generate_series(1, 6) AS n",
        "CREATE POLICY even ON tenants USING (id % 2 = 0); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY even ON outbox USING (id % 2 = 0); ALTER TABLE outbox ENABLE ROW LEVEL SECURITY",
        f"CREATE ROLE {name} LOGIN",
        f"GRANT SELECT, DELETE ON tenants, outbox TO {name}",
    ):
        postgres_database.execute(statement)
    parts = conninfo_to_dict(postgres_database.dsn)
    place = {"host": parts["host"], "port": int(parts["port"]), "login": name, "schema": postgres_database.name}
    metadata.put_connection(name, conn_type="postgres", **place)
    yield name
    postgres_database.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("row_security", ["fail", "apply"])
@pytest.mark.parametrize(("taker", "asked"), TAKERS, ids=lambda one: getattr(one, "__name__", ""))
def test_every_taker_hands_it_on(taker, asked, row_security):
    made = taker(task_id="t", source_conn_id="crm", row_security=row_security, **asked)
    assert made._spec().row_security == row_security
    if hasattr(made, "_trigger"):
        trigger = made._trigger()
        assert trigger.watch.spec.row_security == row_security
        assert trigger.serialize()[1].get("row_security", "fail") == row_security


@pytest.mark.parametrize(("taker", "asked"), TAKERS, ids=lambda one: getattr(one, "__name__", ""))
def test_any_other_word_is_refused(taker, asked):
    with pytest.raises(ConfigurationError, match="row_security"):
        taker(task_id="t", source_conn_id="crm", row_security="off", **asked)


@pytest.mark.parametrize(
    ("trigger", "asked"), [(PendingEventsTrigger, QUERY), (PendingOutboxTrigger, OUTBOX)], ids=["query", "outbox"]
)
def test_who_waits_is_refused_or_counts_what_the_policy_shows(conn_id, trigger, asked):
    refused, meant = (trigger(source_conn_id=conn_id, row_security=one, **asked) for one in ("fail", "apply"))
    with metadata.as_task():
        try:
            assert meant._probe.look()["rows"] == 3
            with pytest.raises(ConfigurationError, match="row-level security may hide rows"):
                refused._probe.look()
        finally:
            meant._probe.end()
            refused._probe.end()


def test_the_count_of_a_move_is_of_what_the_policy_shows(conn_id):
    facts = {"key_columns": ["id"], "watermark_columns": ["id"], "source": conn_id}
    with metadata.as_server():
        assert rows_left("s", Preview(Watermark(("6",), None, facts), None), table="tenants") == 3


@pytest.mark.parametrize(("row_security", "events"), [("fail", None), ("apply", 3)])
def test_a_task_fails_or_sends_what_the_policy_shows(conn_id, broker, topic, row_security, events):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    run = metadata.run_dag(
        f"""
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(task_id="publish", source_conn_id={conn_id!r}, table="tenants", watermark_columns=["id"],
                             topic={topic!r}, row_security={row_security!r})
""",
        dag_id,
    )
    if events is None:
        assert str(run.state) == "failed"
        assert broker.read(topic) == []
        return
    report = metadata.pulled(run, "publish")
    assert report["events"] == events
    assert "which rows a policy of row-level security hides" in report["completeness_reason"]
