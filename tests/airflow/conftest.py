import sqlite3

import pytest

from tests.airflow import metadata
from tests.airflow.desk import made_desk

WAREHOUSE_ORDERS = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
                     total TEXT, updated_at TEXT NOT NULL);
"""


@pytest.fixture
def shop(tmp_path):
    """A legacy shop in SQLite behind the connections `legacy_shop` and `legacy_crm`."""
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(
        """
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
                             total DECIMAL(10, 2), updated_at TIMESTAMP NOT NULL);
        CREATE INDEX orders_updated_at ON orders (updated_at, id);
        CREATE TABLE audit_log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, session_token TEXT);
        CREATE TABLE prices (sku TEXT PRIMARY KEY NOT NULL, price INTEGER NOT NULL);
        INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
        INSERT INTO orders VALUES (1, 1, 'new', '9.90', '2026-11-01 08:00:00'),
                                  (2, 2, 'paid', '5', '2026-11-01 08:00:00'),
                                  (3, 1, 'new', NULL, '2026-11-02 08:00:00.5');
        INSERT INTO audit_log (what, session_token) VALUES ('login', 'x'), ('logout', 'y');
        CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregatetype TEXT NOT NULL,
            aggregateid TEXT NOT NULL, type TEXT, payload TEXT, created_at TIMESTAMP DEFAULT current_timestamp);
        INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES
            ('order', '1', 'OrderPlaced', '{"total": 12.50}'), ('customer', '7', 'CustomerMoved', '{"city": null}'),
            ('order', '1', 'OrderDeleted', NULL);
        INSERT INTO prices VALUES ('A1', 100), ('B2', 200);
        """
    )
    for conn_id in ("legacy_shop", "legacy_crm"):
        metadata.put_connection(conn_id, conn_type="sqlite", host=str(file))
    yield connection
    connection.close()


@pytest.fixture
def warehouse(tmp_path):
    """Another database in SQLite with a table of orders, behind the connection `warehouse`."""
    connection = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    connection.executescript(WAREHOUSE_ORDERS)
    metadata.put_connection("warehouse", conn_type="sqlite", host=str(tmp_path / "warehouse.db"))
    yield connection
    connection.close()


@pytest.fixture
def broker(topics):
    """The shared Kafka behind the connection `kafka_default`; gives what reads and makes topics."""
    extra = f'{{"bootstrap.servers": "{topics.kafka.bootstrap}", "group.id": "ignored", "linger.ms": 5}}'
    metadata.put_connection("kafka_default", conn_type="kafka", extra=extra)
    return topics


@pytest.fixture
def desk(tmp_path, topics, topic):
    """What somebody who gets something wrong works with."""
    with made_desk(tmp_path, topics, topic) as made:
        yield made
