"""Topics of a log that were deleted and made again: what is lost is reported, and a new snapshot fills them."""

from __future__ import annotations

import itertools

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope
from tests.support.crashes import STREAM
from tests.support.log_runs import LogProcess, SteppedBroker

ANEW = {"snapshot": ["main.orders"], "run": "r"}


class Runs:
    """Runs of a stream with a broker that outlives them."""

    def __init__(self, shop):
        self.shop, self.broker = shop, MemoryBroker()

    def run(self, **options):
        process = LogProcess(self.shop.world, self.shop.source(**options), None, itertools.count().__next__)
        self.broker.open()
        process.broker = SteppedBroker(process, self.broker)
        process.envelope = TransactionsEnvelope(PlainEnvelope())
        process.relay.run()

    def keys(self, topic):
        return [one.key for one in self.broker.topic(topic)]


@pytest.fixture
def runs(shop):
    made = Runs(shop)
    made.run()
    return made


def test_the_identity_of_each_topic_is_kept(runs):
    ids = runs.shop.saved.facts["topic_ids"]
    assert set(ids) == {"cdc.main.orders", "cdc.main.names"}
    runs.shop.put((5, "five"))
    runs.run()
    assert runs.shop.saved.facts["topic_ids"] == ids


def test_a_topic_that_was_made_again_is_refused_until_its_table_is_read_again(runs):
    runs.shop.put((5, "five"))
    runs.broker.remake("cdc.main.orders")
    before = runs.shop.saved
    with pytest.raises(WatermarkError, match=r"'cdc\.main\.orders' was deleted and made again") as refused:
        runs.run()
    assert '{"snapshot": ["main.orders"]}' in str(refused.value)
    assert f"watermark set {STREAM.name} --accept topic" in str(refused.value)
    assert runs.shop.saved == before
    assert runs.keys("cdc.main.orders") == []
    runs.run(**ANEW)
    assert set(runs.keys("cdc.main.orders")) == {"1", "2", "3", "4", "5"}
    runs.shop.put((6, "six"))
    runs.run()
    assert runs.keys("cdc.main.orders")[-1] == "6"


def test_an_older_watermark_takes_the_topics_as_they_are(runs):
    facts = {name: one for name, one in runs.shop.saved.facts.items() if name != "topic_ids"}
    runs.shop.world.store.save(STREAM.name, runs.shop.saved._replace(facts=facts), expected=runs.shop.saved)
    runs.broker.remake("cdc.main.orders")
    runs.shop.put((5, "five"))
    runs.run()
    assert "topic_ids" in runs.shop.saved.facts


def test_a_topic_of_transactions_that_was_made_again_is_warned_of(shop, caplog):
    made = Runs(shop)
    made.run(transaction_topic="cdc.transactions")
    shop.put((5, "five"))
    made.broker.remake("cdc.transactions")
    made.run(transaction_topic="cdc.transactions")
    assert "topic 'cdc.transactions' was deleted and made again" in caplog.text
