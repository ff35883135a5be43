"""A database without a connection type of its own: Firebird behind the URL in a connection's extra."""

import json
import uuid

from tests.airflow import metadata
from tests.services import firebird
from tests.support.firebird import Application

DAG = """
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id="legacy_erp", table="orders", watermark_columns=["changed"], topic={topic!r}
    )
"""


def test_rows_of_firebird_arrive_on_kafka_run_by_run(tmp_path, broker, topic):
    path, dag_id = tmp_path / "erp.fdb", f"dag_{uuid.uuid4().hex[:12]}"
    erp = Application(path, new=True)
    erp.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, total numeric(9, 2), note text, changed timestamp NOT NULL)"
    )
    erp.execute(
        "INSERT INTO orders VALUES (2, 1.5, 'ä', '2026-01-01 08:00:00'), (1, NULL, NULL, '2026-01-02 08:00:00.5')"
    )
    metadata.put_connection("legacy_erp", conn_type="generic", extra=json.dumps({"sqlalchemy_url": firebird.url(path)}))
    text = DAG.format(dag_id=dag_id, topic=topic)

    first = metadata.run_dag(text, dag_id)
    erp.execute("UPDATE orders SET total = 20.25, changed = '2026-01-03 08:00:00' WHERE id = 2")
    second = metadata.run_dag(text, dag_id)

    messages = broker.read(topic)
    assert [message.event["data"] for message in messages] == [
        {"id": 2, "total": "1.5", "note": "ä", "changed": "2026-01-01T08:00:00.000000Z"},
        {"id": 1, "total": None, "note": None, "changed": "2026-01-02T08:00:00.500000Z"},
        {"id": 2, "total": "20.25", "note": "ä", "changed": "2026-01-03T08:00:00.000000Z"},
    ]
    assert messages[0].event["source"] == "/legacy_erp/orders"
    reports = [metadata.pulled(run, "publish") for run in (first, second)]
    assert [(report["events"], report["completeness"]) for report in reports] == [
        (2, "best_effort"),
        (1, "best_effort"),
    ]
    assert reports[1]["watermark_to"] == ["2026-01-03 08:00:00", "2"]
    assert erp.execute("SELECT count(*) FROM legacy_events_locks").rows == [(0,)]
    erp.close()
