"""Barrier: whatever was committed before the sensor began is on its topic when it is green."""

import datetime as dt

import pytest

from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor
from tests.support import connectors
from tests.support.connectors import mariadb_source, postgres_source
from tests.support.databases import fresh_database
from tests.support.profile import LONG

ROUNDS = 200 if LONG else 3
SOON = dt.timedelta(seconds=1)


class Postgres:
    """A shop in PostgreSQL."""

    conn_type = "postgres"

    def __init__(self, database, bootstrap):
        self.database = database
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        database.execute("CREATE TABLE foreign_writes (id serial, note text)")

    def config(self, name, **changed):
        return postgres_source(self.database, name, **changed)

    def topic(self, name):
        return f"{name}.public.orders"


class Mariadb:
    """A shop in MariaDB."""

    conn_type = "mysql"

    def __init__(self, database, bootstrap):
        self.database, self.bootstrap = database, bootstrap
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        database.execute("CREATE TABLE foreign_writes (id int AUTO_INCREMENT PRIMARY KEY, note text)")
        database.execute("CREATE TABLE signals (id varchar(42), type varchar(32), data varchar(2048))")

    def config(self, name, **changed):
        given = {"signal_data_collection": f"{self.database.name}.signals", **changed}
        return mariadb_source(self.database, name, self.bootstrap, **given)

    def topic(self, name):
        return f"{name}.{self.database.name}.orders"


@pytest.fixture(scope="module")
def shops(request, postgres18_logs, mariadb_logs, kafka):
    """Both, made once."""
    with fresh_database(postgres18_logs) as one, connectors.without_slots(one), fresh_database(mariadb_logs) as other:
        yield {"postgres": Postgres(one, kafka.bootstrap), "mariadb": Mariadb(other, kafka.bootstrap)}


@pytest.fixture(params=["postgres", "mariadb"])
def shop(request, shops, monkeypatch):
    found = shops[request.param]
    found.database.execute("DELETE FROM orders")
    connectors.database_connection(monkeypatch, found.database.url, found.conn_type)
    return found


@pytest.fixture
def source(shop, connector, connect, monkeypatch):
    """A running source of the shop's orders; gives its name."""
    connectors.connection(monkeypatch, connect.url)
    name = connector()
    connect.begin(name, shop.config(name))
    connect.wait_running(name)
    return name


def caught_up(name, **arguments):
    arguments = {"source_conn_id": "legacy_shop", "timeout": dt.timedelta(seconds=30)} | arguments
    arguments = {"connector": name, "poll_interval": SOON} | arguments
    return ConnectorCaughtUpSensor(task_id="wait", **arguments).execute({})


def ids(topics, topic):
    return {one.event["after"]["id"] for one in topics.read(topic) if one.value}


def test_a_row_that_was_committed_on_a_silent_database_is_on_its_topic(shop, source, topics):
    for number in range(ROUNDS):
        shop.database.execute(f"INSERT INTO orders VALUES ({number}, 'x')")
        report = caught_up(source)
        assert number in ids(topics, shop.topic(source))
        assert report["seconds"] < 10
