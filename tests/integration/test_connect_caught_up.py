"""Barrier: whatever was committed before the sensor began is on its topic when it is green."""

import datetime as dt
import itertools
import threading
from contextlib import contextmanager

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout

from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connector_shops import SHOPS, caught_up, ids, shop_of
from tests.support.connectors import red
from tests.support.profile import LONG

ROUNDS = 200 if LONG else 2
TEN_SECONDS = 10


@pytest.fixture(scope="module", params=[*SHOPS])
def made(request, kafka):
    with shop_of(request, request.param, kafka.bootstrap) as found:
        yield found


@pytest.fixture
def shop(made, monkeypatch):
    made.database.execute("DELETE FROM orders")
    connectors.database_connection(monkeypatch, made.database.url, made.conn_type)
    return made


@pytest.fixture
def source(shop, connector, connect, monkeypatch):
    """A running source of the shop's orders; gives its name."""
    connectors.connection(monkeypatch, connect.url)
    name = connector()
    connect.begin(name, shop.config(name))
    connect.wait_running(name)
    return name


@contextmanager
def writers(database):
    """Somebody writes orders from 1000 on, and somebody else what no connector reads; gives the orders committed."""
    committed, over = [], threading.Event()

    def write(statement, kept=None):
        for number in itertools.count(1_000):
            if over.is_set():
                return
            database.execute(statement.format(number))
            if kept is not None:
                kept.append(number)

    statements = [
        ("INSERT INTO orders VALUES ({}, 'y')", committed),
        ("INSERT INTO foreign_writes (note) VALUES ('{}')",),
    ]
    threads = [threading.Thread(target=write, args=one) for one in statements]
    for thread in threads:
        thread.start()
    try:
        yield committed
    finally:
        over.set()
        for thread in threads:
            thread.join()


def paused(connect, name):
    connect.client.put(f"/connectors/{name}/pause").raise_for_status()
    wait_until(lambda: connect.status(name)["tasks"][0]["state"] == "PAUSED", f"connector {name} being paused")


def test_rows_that_were_committed_on_a_silent_database_are_on_their_topic(shop, source, topics):
    for number in range(ROUNDS):
        shop.database.execute(f"INSERT INTO orders VALUES ({number}, 'x')")
        report = caught_up(source)
        assert number in ids(topics, shop.topic(source))
        assert report["seconds"] < TEN_SECONDS


def test_rows_that_were_committed_among_others_are_on_their_topic(shop, source, topics):
    with writers(shop.database) as committed:
        for _ in range(ROUNDS):
            before = len(committed)
            wait_until(lambda before=before: len(committed) > before, "a row")
            known = {*committed}
            report = caught_up(source)
            assert known <= ids(topics, shop.topic(source))
            assert report["seconds"] < TEN_SECONDS


def test_a_connector_that_is_paused_has_not_caught_up(shop, source, connect, topics):
    paused(connect, source)
    shop.database.execute("INSERT INTO orders VALUES (1, 'x')")
    with red("not yet, connector PAUSED, task 0 PAUSED", AirflowSensorTimeout):
        caught_up(source, timeout=dt.timedelta(seconds=2))
    connect.client.put(f"/connectors/{source}/resume").raise_for_status()

    caught_up(source)
    assert ids(topics, shop.topic(source)) == {1}


def test_without_a_nudge_it_waits_for_traffic(shop, source, topics):
    caught_up(source)
    shop.database.execute("INSERT INTO foreign_writes (note) VALUES ('x')")
    with red("not yet, its offset is", AirflowSensorTimeout):
        caught_up(source, nudge="never", timeout=dt.timedelta(seconds=2))
    timer = threading.Timer(1, shop.database.execute, ["INSERT INTO orders VALUES (1, 'x')"])
    timer.start()

    caught_up(source, nudge="never")
    timer.join()
    assert ids(topics, shop.topic(source)) == {1}


def test_a_connector_of_another_prefix_is_not_taken_for_this_one(shop, source, connect, front, monkeypatch):
    """A connector that was made again under its name has its former offsets beside the new ones."""
    caught_up(source)

    def former(request, body):
        if request.path.endswith("/offsets"):
            body["offsets"][0]["partition"]["server"] = "former"
        return body

    front.change = former
    connectors.connection(monkeypatch, front.url)
    with red("no offset for topic.prefix", AirflowSensorTimeout):
        caught_up(source, nudge="never", timeout=dt.timedelta(seconds=2))


def test_an_offset_of_another_server_is_red(shop, source, front, monkeypatch):
    def beyond(request, body):
        if request.path.endswith("/offsets"):
            offset = body["offsets"][0]["offset"]
            offset |= {"lsn": 2**60} if "lsn" in offset else {"pos": 2**40}
        return body

    caught_up(source)
    front.change = beyond
    connectors.connection(monkeypatch, front.url)
    with red("is not within the log of source_conn_id='legacy_shop', which ends at"):
        caught_up(source)
