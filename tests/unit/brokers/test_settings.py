import datetime as dt
import logging
import re

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.config import CONSUMER_ONLY, client_settings, producer_settings, refusal
from airflow_legacy_events.core.errors import ConfigurationError

HERE = {"bootstrap.servers": "kafka:9092"}
LOG = logging.getLogger("test")


def settings(**changed):
    smallest = changed.pop("smallest", 1_048_588)
    return producer_settings({**HERE, **changed}, timeout_ms=120_000, smallest=smallest, log=LOG)


def test_a_bare_connection_gets_what_delivery_rests_on():
    assert settings() == {
        "bootstrap.servers": "kafka:9092",
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "delivery.report.only.error": True,
        "allow.auto.create.topics": False,
        "compression.type": "lz4",
        "batch.size": 1_000_000,
        "linger.ms": 100,
        "message.max.bytes": 1_000_000_000,
        "message.timeout.ms": 120_000,
    }


def test_security_and_whatever_else_is_passed_through():
    asked = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "PLAIN",
        "sasl.password": "p",
        "ssl.ca.location": "/ca",
    }
    asked |= {"queue.buffering.max.messages": 100, "client.id": "airflow", "linger.ms": 50, "retry.backoff.ms": 7}
    assert asked.items() <= settings(**asked).items()
    assert asked["sasl.password"] == client_settings({**HERE, **asked})["sasl.password"]


def test_messages_linger_for_less_than_their_timeout():
    found = producer_settings(HERE, timeout_ms=50, smallest=1_048_588, log=LOG)
    assert (found["linger.ms"], found["message.timeout.ms"]) == (25, 50)
    Producer(found)


def test_settings_of_consumers_are_dropped_silently(caplog):
    asked = dict.fromkeys(CONSUMER_ONLY, "1")
    assert settings(**asked) == settings()
    assert client_settings({**HERE, **asked}) == HERE
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "value", "ours"),
    [
        ("acks", 1, "all"),
        ("request.required.acks", "0", "all"),
        ("enable.idempotence", "false", True),
        ("partitioner", "consistent_random", "murmur2_random"),
        ("delivery.report.only.error", False, True),
        ("allow.auto.create.topics", True, False),
        ("message.timeout.ms", 1_000, 120_000),
        ("delivery.timeout.ms", 1_000, 120_000),
        ("message.max.bytes", 2_000_000, 1_000_000_000),
        ("default.topic.config", {"acks": 1}, "all"),
    ],
)
def test_a_contradiction_is_told_once_and_not_obeyed(name, value, ours, caplog):
    found = settings(**{name: value})
    assert found == settings()
    assert ours in found.values()
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(("name", "value"), [("acks", "all"), ("acks", -1), ("request.required.acks", "-1")])
def test_an_agreeing_setting_is_no_news(name, value, caplog):
    assert settings(**{name: value}) == settings()
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["transactional.id", "on_delivery", "dr_msg_cb"])
def test_what_would_change_the_delivery_is_left_out_and_told(name, caplog):
    assert settings(**{name: "x"}) == settings()
    assert name in caplog.text


@pytest.mark.parametrize("name", ["compression.type", "compression.codec"])
def test_a_compression_that_was_asked_for_holds(name):
    assert settings(**{name: "zstd"})["compression.type"] == "zstd"


def test_record_batches_stay_below_the_smallest_limit_and_messages_need_not(caplog):
    found = settings(smallest=61_440)
    assert (found["batch.size"], found["message.max.bytes"]) == (61_440, 1_000_000_000)
    assert settings(smallest=61_440, **{"batch.size": "5000"})["batch.size"] == 5_000
    assert caplog.messages == []
    assert settings(smallest=61_440, **{"batch.size": 100_000})["batch.size"] == 61_440
    assert "61440" in caplog.text


def test_a_timeout_beyond_what_librdkafka_takes_is_cut_to_it():
    found = [producer_settings(HERE, timeout_ms=one, smallest=1, log=LOG) for one in (10**12, 0)]
    assert [one["message.timeout.ms"] for one in found] == [2_147_483_647, 1]  # 0 is never


@pytest.mark.parametrize("value", ["big", None])
def test_a_batch_size_that_is_no_number_is_refused(value):
    with pytest.raises(ConfigurationError, match=r"batch\.size"):
        settings(**{"batch.size": value})


@pytest.mark.parametrize("config", [{}, {"bootstrap.servers": ""}, {"group.id": "g"}])
def test_a_connection_without_brokers_is_told_what_to_add(config):
    with pytest.raises(ConfigurationError, match=r"bootstrap\.servers"):
        KafkaBroker(config, delivery_timeout=dt.timedelta(seconds=1), topics=["t"])


def test_the_old_name_of_bootstrap_servers_is_understood():
    assert client_settings({"metadata.broker.list": "a:1,b:2"}) == {"bootstrap.servers": "a:1,b:2"}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"no.such.setting": "x"}, r"no\.such\.setting"),
        ({"compression.type": "gzipp"}, r'"gzipp".*also called compression\.type'),
        ({"max.in.flight.requests.per.connection": 10, "enable.idempotence": True}, r"max\.in\.flight"),
        ({"security.protocol": "ssl", "ssl.ca.location": "/nowhere.pem"}, r"ssl\.ca\.location"),
        ({"error_cb": "a.b"}, r"error_cb"),
    ],
)
def test_a_refused_setting_is_named(config, named):
    config = {**HERE, **config}
    with pytest.raises((KafkaException, TypeError, ValueError)) as refused:
        Producer(config)
    assert re.search(named, str(refusal(refused.value, config)))


def test_a_refusal_never_shows_a_secret():
    config = {
        **HERE,
        "sasl.password": "hunter2",
        "sasl.username": "bob",
        "ssl.key.pem": "KEY+/=",
        "security.protocol": "ssl",
    }
    said = 'Invalid value "hunter2" for property "sasl.password", bob, KEY+/=, ssl.ca.location'
    text = str(refusal(KafkaException(KafkaError(KafkaError._INVALID_ARG, said)), config))
    assert not {"hunter2", "bob", "KEY+/="} & set(text.replace('"', " ").replace(",", " ").split())
    assert "sasl.password" in text
    assert "ssl.ca.location" in text


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("kafka-1:9092", "kafka-1:9092"),
        ("kafka-1", "kafka-1"),
        ("kafka-1:9092,kafka-2:9092", "kafka-1:9092"),
        (" kafka-1:9092 , kafka-2:9092", "kafka-1:9092"),
        (",, kafka-1:9092", "kafka-1:9092"),
        ("SASL_SSL://kafka-1:9092", "kafka-1:9092"),
        ("PLAINTEXT://kafka-1:9092/,PLAINTEXT://kafka-2:9092", "kafka-1:9092"),
        ("ssl://[::1]:9092, kafka-2", "[::1]:9092"),
        ("kafka-1:9092\n", "kafka-1:9092"),
    ],
)
def test_assets_name_the_first_broker_as_it_is_reached(written, first):
    for setting in ("bootstrap.servers", "metadata.broker.list"):
        broker = KafkaBroker({setting: written}, topics=["orders"], delivery_timeout=dt.timedelta(seconds=1))
        assert broker.bootstrap == first


@pytest.mark.parametrize("written", ["", " , ", None, "SSL://"])
def test_a_list_without_an_address_names_no_broker(written):
    with pytest.raises(ConfigurationError, match="names no broker"):
        KafkaBroker({"bootstrap.servers": written}, topics=["orders"], delivery_timeout=dt.timedelta(seconds=1))
