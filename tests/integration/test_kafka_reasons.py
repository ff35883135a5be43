"""A broker that sends its clients to addresses which lead nowhere: each error says why, in the client's own words."""

import contextlib
import datetime as dt
import logging

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from airflow_legacy_events.brokers.kafka.callbacks import callbacks
from airflow_legacy_events.brokers.kafka.creation import create
from airflow_legacy_events.brokers.kafka.latest import latest
from airflow_legacy_events.brokers.kafka.producer import IdempotentProducer
from airflow_legacy_events.brokers.kafka.writable import check_rights, present_ids
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.stop import Stop
from tests.support.brokers import batch
from tests.support.silence import proxy

LOG = logging.getLogger("test")
ADVERTISED = b"127.0.0.1"
NOWHERE = {"a.invalid": "resolve", "127.9.9.9": "refused"}
"""Hosts as long as the advertised one, and a word of what the client says of each."""


@pytest.fixture(params=NOWHERE)
def astray(kafka, request):
    """Settings of a client whose broker answers, and sends it on to a host that does not."""
    host, _, port = kafka.bootstrap.rpartition(":")
    assert host.encode() == ADVERTISED
    with proxy(host, int(port)) as before:
        before.answered = lambda some: some.replace(ADVERTISED, request.param.encode())
        yield {"bootstrap.servers": f"127.0.0.1:{before.port}"}, request.param, NOWHERE[request.param]


@pytest.fixture
def admin(astray):
    settings, host, word = astray
    calls, errors = callbacks(settings, LOG)
    made = AdminClient({**settings, **calls, "log_level": 0})
    with contextlib.suppress(KafkaException):  # the first answer may lead it astray before this one comes
        made.list_topics(timeout=2)
    return made, errors, host, word


def says_why(text, host, word):
    assert host in text
    assert word in text
    assert any(line.startswith(("Check", "Look at")) and "advertised.listeners" in line for line in text.splitlines())
    assert "try again" not in text


def test_a_topic_that_cant_be_made(admin, topics):
    client, errors, host, word = admin
    with pytest.raises(DeliveryError) as failed:
        create(client, [topics.name()], 1, {}, errors, LOG, seconds=1)
    says_why(str(failed.value), host, word)


def look_often(settings, topic):
    """A client may be answered on its first connection, before it follows the answer."""
    for _ in range(5):
        latest(settings, topic, LOG)


def test_the_link_to_the_newest_message(astray, topics):
    settings, host, word = astray
    with pytest.raises(DeliveryError) as failed:
        look_often(settings, topics.make())
    assert host in str(failed.value)
    assert word in str(failed.value)


def test_messages_that_are_not_acknowledged(astray, topics):
    settings, host, word = astray
    sized = {"batch.size": 1_000_000, "message.timeout.ms": 1_000}
    producer = IdempotentProducer({**settings, **sized}, stop=Stop(), timeout=dt.timedelta(seconds=1), log=LOG)
    producer.send(batch(topics.make(), ("a", "x")))
    with pytest.raises(DeliveryError) as failed:
        producer.flush()
    assert host in str(failed.value)
    assert word in str(failed.value)


@pytest.mark.parametrize("ask", [check_rights, present_ids])
def test_what_is_told_of_a_topic_is_logged_with_the_reason(admin, topics, caplog, ask):
    client, errors, host, word = admin
    with caplog.at_level(logging.INFO):
        ask(client, [topics.make()], errors, LOG)
    (line,) = [line for line in caplog.messages if "can't be" in line]
    assert host in line
    assert word in line
