"""A sink into servers of PostgreSQL and MariaDB: what the query operator sent of one, in a table that is created."""

import uuid

import pytest

from airflow_legacy_events.streams.directory.locks import Signature
from airflow_legacy_events.streams.directory.moves import SetWatermark, carry_out
from tests.airflow import metadata
from tests.airflow.test_sink_operator import dag_text, report
from tests.support.engines import ENGINES
from tests.support.legacy import legacy_database

TYPES = {"postgresql": "postgres", "mysql": "mysql"}
SERVERS = ("postgresql-18", "mariadb-10.11")


@pytest.fixture(params=SERVERS)
def server(request):
    """A database of its own on a server, behind the connection `warehouse`."""
    with legacy_database(request, request.param) as legacy:
        url = legacy.url
        metadata.put_connection(
            "warehouse",
            conn_type=TYPES[ENGINES[request.param].dialect],
            host=url.host,
            port=url.port,
            login=url.username,
            password=url.password,
            schema=url.database,
        )
        yield legacy


def test_a_table_that_is_created_becomes_equal_and_stays_so(shop, broker, server, topic):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    columns = {"create_table": True, "key_columns": ["id"], "column_types": {"status": "varchar(20)"}}

    def run():
        return metadata.run_dag(dag_text(dag_id, topic, **columns), dag_id)

    first = report(run())
    shop.execute("DELETE FROM orders WHERE id = 2")
    shop.execute("UPDATE orders SET total = '123.45', updated_at = '2026-11-04 08:00:00.25' WHERE id = 1")
    second = report(run())

    assert (first["rows"], second["rows"]) == (3, 1)
    found = server.execute("SELECT id, customer_id, status, total FROM orders ORDER BY id")
    assert [tuple(map(str, row)) for row in found] == [
        ("1", "1", "new", "123.45"),
        ("2", "2", "paid", "5"),
        ("3", "1", "new", "None"),
    ]

    server.execute("DROP TABLE orders")
    server.execute("CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, status VARCHAR(20), total VARCHAR(20))")
    server.execute("INSERT INTO orders VALUES (9, 9, 'other', NULL)")
    other = run()
    assert metadata.states(other) == {"publish": "success", "apply": "failed"}
    with metadata.as_server():
        carry_out(first["stream"], SetWatermark(accept=["object"]), Signature("ann", "now", "(test)"))
    assert report(run())["rows"] == 0
