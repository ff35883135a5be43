"""The connection and the ACLs that the page of deployment prints, on a broker that allows nothing else."""

import datetime as dt
import json
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation, NewTopic

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.reading import KafkaReader
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError
from airflow_legacy_events.core.ports import Partition, ReadPosition
from tests.services.base import wait_until
from tests.support.certificates import Authority
from tests.support.secured_kafka import PASSWORD, USER, secured_kafka
from tests.support.streams import Deliveries

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "deployment.md").read_text()
SECTION = PAGE.split("## Kafka with SASL_SSL")[1].split("\n## ")[0]
EXTRA = json.loads(re.search(r"--conn-extra '(\{.*?\})'", SECTION, re.DOTALL)[1])
PREFIX = re.search(r"--topic (\S+) --resource-pattern-type prefixed", SECTION)[1]
(CREATE,) = re.findall(r"`--operation (Create)`", SECTION)
TOPIC = f"{PREFIX}orders"
pytestmark = pytest.mark.xdist_group("kafka-acls")  # its broker is started once


def operation(word):
    """As the client calls what the command line calls `DescribeConfigs`."""
    return AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).upper()]


PRINTED = [operation(word) for word in re.findall(r"--operation (\w+)", SECTION.split("`--operation Create`")[0])]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with secured_kafka(tmp_path_factory.mktemp("certificates")) as broker:
        broker.admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)
        yield broker


def broker_of(kafka, topic=TOPIC, log=None, **more):
    partitions = more.pop("topic_partitions", None)
    here = {
        "bootstrap.servers": kafka.secured,
        "sasl.password": PASSWORD,
        "ssl.ca.location": str(kafka.authority.path),
    }
    assert EXTRA["sasl.username"] == USER
    return KafkaBroker(
        {**EXTRA, **here, **more},
        delivery_timeout=dt.timedelta(seconds=30),
        topics=(topic,),
        topic_partitions=partitions,
        log=log,
    )


def run(kafka, folder, **more):
    """Deliver three rows with the printed connection."""
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO orders (id) VALUES (NULL), (NULL), (NULL)")
    connection.close()
    topic = more.get("topic", TOPIC)
    broker = broker_of(kafka, **more)
    try:
        broker.open()
        options = {"watermark_columns": ("id",)}
        stream = Deliveries(url=f"sqlite:///{path}", broker=broker, topic=topic, options=options)
        return stream.run().events
    finally:
        broker.close()


def allow(kafka, operations):
    """Let the user do this alone; the broker has applied it when it answers so."""
    kafka.allow(operations, PREFIX)
    wait_until(lambda: kafka.allowed(PREFIX) == set(operations), "the ACLs")


def test_the_printed_acls_are_enough_for_a_stream(kafka, tmp_path, caplog):
    assert PRINTED == [AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS]
    allow(kafka, PRINTED)
    with caplog.at_level(logging.INFO):
        assert run(kafka, tmp_path) == 3
    assert "can't be read" not in caplog.text


def test_without_write_the_run_is_red_and_names_it(kafka, tmp_path):
    allow(kafka, [one for one in PRINTED if one is not AclOperation.WRITE])
    with pytest.raises(ConfigurationError, match=r"shows this user no topic of that name.* grant WRITE on it") as error:
        run(kafka, tmp_path)
    assert repr(TOPIC) in str(error.value)
    allow(kafka, [AclOperation.DESCRIBE, AclOperation.READ])
    with pytest.raises(ConfigurationError, match=r"who may DESCRIBE, READ\. Nothing was read; grant WRITE on it"):
        run(kafka, tmp_path)


def test_without_describe_configs_the_limits_are_not_known_and_the_log_names_it(kafka, tmp_path, caplog):
    allow(kafka, [one for one in PRINTED if one is not AclOperation.DESCRIBE_CONFIGS])
    with caplog.at_level(logging.INFO):
        assert run(kafka, tmp_path) == 3
    assert f"the limits of {TOPIC} can't be read" in caplog.text
    assert "grant DESCRIBE_CONFIGS on it" in caplog.text


def test_a_topic_is_created_with_the_further_acl_and_not_without_it(kafka, tmp_path):
    topic = f"{PREFIX}new"
    allow(kafka, PRINTED)
    with pytest.raises(ConfigurationError, match=r"could not be created.*; grant CREATE on it or on the cluster"):
        run(kafka, tmp_path, topic=topic, topic_partitions=2)
    allow(kafka, [*PRINTED, operation(CREATE)])
    assert run(kafka, tmp_path, topic=topic, topic_partitions=2) == 6


def reader_of(kafka, **more):
    here = {
        "bootstrap.servers": kafka.secured,
        "sasl.password": PASSWORD,
        "ssl.ca.location": str(kafka.authority.path),
    }
    return closing(KafkaReader({**EXTRA, **here, **more}, logging.getLogger(__name__)))


def test_a_reader_needs_read_and_names_it(kafka):
    allow(kafka, [AclOperation.DESCRIBE])
    with reader_of(kafka) as reader, pytest.raises(ConfigurationError, match=r"grant READ and DESCRIBE.*may only DESC"):
        reader.find([TOPIC])
    allow(kafka, [AclOperation.WRITE])
    with reader_of(kafka) as reader, pytest.raises(ConfigurationError, match=r"by this user: grant READ and DESCRIBE"):
        reader.find([TOPIC])
    allow(kafka, [])
    with (
        reader_of(kafka) as reader,
        pytest.raises(ConfigurationError, match=f"no topic '{TOPIC}'.*\n.*grant READ"),
    ):
        reader.find([TOPIC])


def test_a_reader_with_read_alone_reads_and_does_not_see_compaction(kafka, caplog):
    caplog.set_level(logging.INFO)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(TOPIC, b"1")
    producer.flush(30)
    allow(kafka, [AclOperation.READ])
    at = Partition(TOPIC, 0)
    with reader_of(kafka) as reader:
        found = reader.find([TOPIC])[TOPIC]
        end = found.partitions[0].end
        assert (found.compacted, found.tombstone_ms) == (None, None)
        with closing(reader.read({at: ReadPosition(end - 1)}, {at: end})) as reading:
            assert reading.take(10, 1_000).received.values == [b"1"]
        for _ in range(3):
            reader.noted("a-group", {at: ReadPosition(end)})
        with closing(reader.read({at: ReadPosition(end - 1)}, {at: end})) as reading:
            allow(kafka, [AclOperation.DESCRIBE])
            with pytest.raises(
                ConfigurationError, match=f"may not read topic '{TOPIC}': grant READ and DESCRIBE on it"
            ):
                reading.take(10, 1_000)
    assert f"whether topic {TOPIC} is compacted can't be seen" in caplog.text
    assert "grant DESCRIBE_CONFIGS on it" in caplog.text
    assert caplog.text.count("grant READ on the group") == 1


def test_a_reader_with_a_wrong_password_is_refused_without_saying_it(kafka):
    with reader_of(kafka, **{"sasl.password": "wrong-and-secret"}) as reader:
        with pytest.raises(DeliveryError, match="Authentication failed") as refused:
            reader.find([TOPIC])
        assert "wrong-and-secret" not in str(refused.value)


def test_what_the_broker_does_not_accept_is_said_and_the_password_is_not(kafka, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    for wrong, said in (
        (
            {"sasl.password": "wrong-and-secret"},
            "Authentication failed",
        ),
        ({"ssl.ca.location": str(stranger.path)}, "verify that ssl.ca.location is correctly configured"),
    ):
        with pytest.raises(DeliveryError, match=said) as refused:
            run(kafka, tmp_path, **wrong)
        assert "check the connection's security settings" in str(refused.value)
        assert "secret" not in str(refused.value)
