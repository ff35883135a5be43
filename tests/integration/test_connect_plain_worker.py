"""Barrier on a worker without exactly-once sources, which commits offsets at intervals."""

import pytest

from tests.services.connect import Connect
from tests.support import connectors
from tests.support.connector_shops import SHOPS, caught_up, ids, shop_of

SECONDS, ROUNDS = 5, 5


@pytest.fixture(scope="module")
def plain(kafka):
    settings = {"exactly.once.source.support": "disabled", "offset.flush.interval.ms": str(1_000 * SECONDS)}
    worker = Connect(kafka.bootstrap, shared=False, settings=settings)
    yield worker
    worker.stop()


@pytest.mark.parametrize("engine", SHOPS)
def test_it_takes_the_flush_interval_of_the_worker(request, plain, topics, kafka, monkeypatch, engine):
    connectors.connection(monkeypatch, plain.url)
    with shop_of(request, engine, kafka.bootstrap) as shop:
        connectors.database_connection(monkeypatch, shop.database.url, shop.conn_type)
        name = connectors.new_name(plain)
        plain.begin(name, shop.config(name))
        plain.wait_running(name)
        for number in range(ROUNDS):
            shop.database.execute(f"INSERT INTO orders VALUES ({number}, 'x')")
            report = caught_up(name)
            assert number in ids(topics, shop.topic(name))
            assert report["seconds"] < 2 * SECONDS
        connectors.remove_connectors(plain)
