import logging

import pytest

from airflow_legacy_events.brokers.kafka.clients import KafkaClients
from airflow_legacy_events.brokers.kafka.reading.settings import reader_settings
from airflow_legacy_events.core.errors import ConfigurationError

LOG = logging.getLogger(__name__)
SERVERS = {"bootstrap.servers": "kafka:9092"}
OURS = {
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "allow.auto.create.topics": False,
}


@pytest.mark.parametrize("place", ["extra", "default.topic.config"])
def test_what_is_read_does_not_depend_on_the_connection(place, caplog):
    caplog.set_level(logging.INFO)
    wrong = {"isolation.level": "read_uncommitted", "auto.offset.reset": "smallest", "enable.auto.commit": "true"}
    config = {**SERVERS, **(wrong if place == "extra" else {place: wrong})}
    assert OURS.items() <= reader_settings(config, LOG).items()
    assert "ignoring the connection's isolation.level, auto.offset.reset, enable.auto.commit" in caplog.text


def test_equal_settings_are_not_mentioned(caplog):
    caplog.set_level(logging.INFO)
    reader_settings({**SERVERS, "isolation.level": "read_committed", "enable.auto.commit": "False"}, LOG)
    assert caplog.text == ""


def test_sizes_are_small_and_the_connections_hold():
    found = reader_settings(SERVERS, LOG)
    assert found["queued.max.messages.kbytes"] == 8 * 1024
    assert found["receive.message.max.bytes"] == 2**31 - 1
    config = {"max.partition.fetch.bytes": 5_000, "queued.max.messages.kbytes": 100, "receive.message.max.bytes": 9_999}
    found = reader_settings({**SERVERS, **config}, LOG)
    assert found["fetch.message.max.bytes"] == 5_000
    assert found["queued.max.messages.kbytes"] == 100
    assert found["receive.message.max.bytes"] == 9_999
    assert "max.partition.fetch.bytes" not in found


def test_settings_of_groups_and_producers_reach_no_client():
    def never(*_):
        raise AssertionError

    groups = {"group.id": "g", "group.instance.id": "i", "group.protocol": "consumer", "session.timeout.ms": 1}
    producers = {"transactional.id": "t", "acks": 1, "linger.ms": 5, "retries": 3, "compression.codec": "gzip"}
    calls = {"on_commit": never, "rebalance_cb": never, "on_delivery": never, "dr_cb": never}
    config = {**SERVERS, "client.id": "c", **groups, **producers, **calls}
    clients = KafkaClients(config, LOG)
    assert clients.settings == {**SERVERS, "client.id": "c"}
    own = reader_settings(config, LOG)
    assert own["group.id"] == "legacy-events-reader"
    assert not {*groups, *producers, *calls} - {"group.id"} & own.keys()
    consumer = clients.consumer(own)
    consumer.close()


def test_a_setting_that_the_client_refuses_is_named_before_anything_is_read():
    config = {**SERVERS, "fetch.max.bytes": "many"}
    with pytest.raises(ConfigurationError, match=r"fetch\.max\.bytes"):
        KafkaClients(config, LOG).consumer(reader_settings(config, LOG))


def test_a_connection_without_servers_is_refused():
    with pytest.raises(ConfigurationError, match="names no broker"):
        KafkaClients({"group.id": "g"}, LOG)
