"""The change log of MariaDB inside Airflow: a stream named by DAG and task, and what only PostgreSQL has."""

from __future__ import annotations

import re
import uuid

import pytest
import sqlalchemy as sa

from tests.airflow import metadata
from tests.airflow.logs import HEAD
from tests.support.databases import fresh_database
from tests.support.messages import one_line

CONN_ID = "logged_shop"
MORE = "from airflow_legacy_events.operators.slots import ReplicationSlotCheckOperator\n"


class Shop:
    """A database on MariaDB behind the connection `CONN_ID`."""

    def __init__(self, database, broker):
        self.database, self.broker = database, broker
        self.dag_id = f"log_{uuid.uuid4().hex[:12]}"

    @property
    def stream(self):
        return f"{CONN_ID}.{self.dag_id}.drain@log"

    def text(self, how="({})", **arguments):
        """Return the file of a DAG with one task, `drain`."""
        given = {
            "task_id": "drain",
            "source_conn_id": CONN_ID,
            "tables": [f"{self.database.name}.*"],
            "topic": f"{self.dag_id}.{{table}}",
            "topic_partitions": 1,
        } | arguments
        listed = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
        return (
            f"{HEAD}{MORE}\nwith DAG({self.dag_id!r}, schedule=None):\n    ChangeLogDrainOperator{how.format(listed)}\n"
        )

    def run(self, how="({})", **arguments):
        return metadata.run_dag(self.text(how, **arguments), self.dag_id)

    def ops(self, table="orders"):
        return "".join(one.event["op"] for one in self.broker.read(f"{self.dag_id}.{table}"))


@pytest.fixture
def shop_db(mariadb_logs, broker):
    with fresh_database(mariadb_logs) as database:
        url = sa.make_url(database.url)
        fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
        metadata.put_connection(CONN_ID, conn_type="mysql", schema=database.name, **fields)
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, status varchar(9))")
        database.execute("INSERT INTO orders VALUES (1, 'new')")
        made = Shop(database, broker)
        yield made
        for key in [key for key in metadata.variables() if made.dag_id in key]:
            metadata.drop_variable(key)


@pytest.mark.parametrize("store", ["variable", pytest.param("asset", marks=pytest.mark.airflow33)])
def test_a_stream_continues_in_its_store(shop_db, store, capsys):
    first = shop_db.run(watermark_store=store)
    assert metadata.pulled(first, "drain")["stream"] == shop_db.stream
    shop_db.database.execute("UPDATE orders SET status = 'paid'; DELETE FROM orders")
    report = metadata.pulled(shop_db.run(watermark_store=store), "drain")
    assert shop_db.ops() == "rud"
    assert report["completeness"] == "exact"
    log = {name: report["log"][name] for name in ("slot", "held_bytes", "held_by", "wal_status")}
    assert log == {"slot": None, "held_bytes": None, "held_by": None, "wal_status": None}
    assert report["log"]["lag_bytes"] >= 0  # others write to the server
    if store == "variable":
        capsys.readouterr()
        metadata.cli("legacy-events", "watermark", "show", shop_db.stream)
        assert re.search(r"\.\d{6}:\d+", capsys.readouterr().out)


def test_a_stream_is_renamed_with_its_dag_and_forgotten_without_a_slot(shop_db, capsys):
    shop_db.run()
    before, topic = shop_db.stream, f"{shop_db.dag_id}.{{table}}"
    shop_db.dag_id = f"{shop_db.dag_id}_new"
    metadata.cli("legacy-events", "watermark", "rename", before, shop_db.stream)
    shop_db.database.execute("UPDATE orders SET status = 'paid'")
    assert metadata.pulled(shop_db.run(topic=topic), "drain")["events"] == 1
    capsys.readouterr()
    metadata.cli("legacy-events", "watermark", "forget", shop_db.stream)
    assert "slot" not in capsys.readouterr().out
    assert metadata.pulled(shop_db.run(topic=topic), "drain")["watermark_from"] is None


def test_what_only_postgresql_has_is_refused_before_anything_is_read(shop_db, capsys):
    assert metadata.states(shop_db.run(slot="s", message_topics={"outbox": "t"})) == {"drain": "failed"}
    assert "leave out slot= and message_topics=, of PostgreSQL alone" in one_line(capsys.readouterr().out)
    check = f"ReplicationSlotCheckOperator(task_id='slots', source_conn_id={CONN_ID!r})"
    text = f"{HEAD}{MORE}\nwith DAG({shop_db.dag_id!r}, schedule=None):\n    {check}\n"
    assert metadata.states(metadata.run_dag(text, shop_db.dag_id)) == {"slots": "failed"}
    assert "does not lead to PostgreSQL, and no other database has replication slots" in one_line(
        capsys.readouterr().out
    )
    with pytest.raises(SystemExit, match="no other database has replication slots"):
        metadata.cli("legacy-events", "slots", "list", "--conn-id", CONN_ID)


def test_mapped_tasks_need_a_connection_each(shop_db, capsys):
    how = ".partial({}).expand(tables=[['a.b'], ['c.d']])"
    run = shop_db.run(how, tables=None)
    assert {*metadata.states(run).values()} == {"failed"}
    assert "Map it over source_conn_id=, or give one task all tables=" in one_line(capsys.readouterr().out)
