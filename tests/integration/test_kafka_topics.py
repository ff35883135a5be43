"""What a broker asks of a real cluster before anything is sent."""

import datetime as dt

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    ConfigResource,
    NewPartitions,
)

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, StoppedError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.stop import Stop
from tests.services.base import wait_until
from tests.support.brokers import batch, opened


def made(kafka, *topics, seconds=30, config=None, **arguments):
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap, **(config or {})},
        delivery_timeout=dt.timedelta(seconds=seconds),
        topics=topics,
        **arguments,
    )
    broker.open()
    return broker


def settings_of(kafka, topic):
    resource = ConfigResource("TOPIC", topic)
    return {name: entry.value for name, entry in kafka.admin.describe_configs([resource])[resource].result(10).items()}


def test_the_cluster_and_its_address_are_known_after_open(kafka, topic):
    broker = opened(kafka, topic)
    assert broker.cluster_id == kafka.admin.list_topics(timeout=10).cluster_id
    assert broker.bootstrap == kafka.bootstrap


def test_a_missing_topic_is_named_with_similar_ones_and_not_made(kafka, topics):
    near = topics.make(f"{topics.name()}.orders")
    asked = near.replace("orders", "order")
    with pytest.raises(ConfigurationError) as missing:
        made(kafka, asked)
    assert repr(asked) in str(missing.value)
    assert near in str(missing.value)
    assert "topic_partitions=" in str(missing.value)
    assert asked not in kafka.admin.list_topics(timeout=10).topics


def test_missing_topics_are_made_when_partitions_were_given(kafka, topics):
    there, first, second = topics.make(), topics.name(), topics.name()
    config = {"cleanup.policy": "compact", "max.message.bytes": 50_000, "replication.factor": 1}
    broker = made(kafka, there, first, second, first, topic_partitions=3, topic_config=config)
    known = kafka.admin.list_topics(timeout=10).topics
    assert {name: len(known[name].partitions) for name in (there, first, second)} == {there: 1, first: 3, second: 3}
    assert settings_of(kafka, second)["cleanup.policy"] == "compact"
    broker.publish(batch(first, ("a", "x" * 60_000)))
    assert [found.index for found in broker.confirm()] == [0]


def test_topics_that_are_required_later_are_made_too_and_their_limits_hold(kafka, topics):
    first, second = topics.name(), topics.name()
    broker = made(kafka, topic_partitions=2, topic_config={"max.message.bytes": "500", "replication.factor": "1"})
    try:
        broker.require([first, second])
        assert (broker.partitions(first), broker.partitions(second)) == (2, 2)
        refused = broker.refused(batch(second, ("a", "x"), ("b", "x" * 600)))
        assert [(one.index, one.error) for one in refused] == [(1, "MSG_SIZE_TOO_LARGE")]
        kafka.admin.create_partitions([NewPartitions(first, 3)])[first].result(10)
        wait_until(lambda: broker.partitions(first) == 3, "the third partition")
    finally:
        broker.close()


def test_without_a_replication_factor_the_cluster_chooses(kafka, topics):
    name = topics.name()
    made(kafka, name, topic_partitions=1)
    assert len(kafka.admin.list_topics(timeout=10).topics[name].partitions[0].replicas) == 1


@pytest.mark.parametrize(
    ("partitions", "config", "said"),
    [
        (0, {}, "0 partitions .*Number of partitions"),
        (1, {"no.such.setting": "1"}, r"no\.such\.setting"),
        (1, {"replication.factor": "3"}, "eplication factor"),
        (1, {"replication.factor": "three"}, "three"),
    ],
)
def test_a_topic_that_can_not_be_made_says_why(kafka, topics, partitions, config, said):
    with pytest.raises(ConfigurationError, match=said):
        made(kafka, topics.name(), topic_partitions=partitions, topic_config=config)


def test_a_topic_that_was_not_opened_is_refused(kafka, topic):
    broker = opened(kafka, topic)
    with pytest.raises(ConfigurationError, match="'other'"):
        broker.publish(batch("other", ("a", "1")))


def test_a_broker_that_was_not_opened_says_so(kafka, topic):
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap}, delivery_timeout=dt.timedelta(seconds=1), topics=[topic]
    )
    broker.close()
    with pytest.raises(ConfigurationError, match="not opened"):
        broker.publish(batch(topic, ("a", "1")))


def test_a_refused_setting_names_itself_and_no_secret(kafka, topic):
    with pytest.raises(ConfigurationError, match=r"no\.such\.setting") as refused:
        made(kafka, topic, config={"no.such.setting": "hunter2", "sasl.password": "hunter3"})
    assert "hunter" not in str(refused.value)


def test_a_setting_that_only_a_producer_refuses_is_named(kafka, topic):
    with pytest.raises(ConfigurationError, match="retries"):
        made(kafka, topic, config={"retries": 0})


def test_a_failed_login_is_told_at_once_without_the_password(kafka, topic):
    login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    login |= {"sasl.username": "reader", "sasl.password": "hunter2"}
    with pytest.raises(DeliveryError, match=r"refused this client: .*SASL") as failed:
        made(kafka, topic, config=login)
    assert "hunter2" not in str(failed.value)


def test_an_unreachable_broker_is_named_with_the_reason(caplog, capfd):
    class Nobody:
        bootstrap = "127.0.0.1:1"

    heard = []
    with pytest.raises(DeliveryError, match=r"'127\.0\.0\.1:1' .* within 1 s: .*Connection refused"):
        made(Nobody, "t", seconds=1, config={"error_cb": heard.append})
    assert heard
    assert capfd.readouterr().err == ""


def test_a_stop_ends_the_wait_for_a_cluster():
    class Nobody:
        bootstrap = "127.0.0.1:1"

    stop = Stop()
    stop.request()
    with pytest.raises(StoppedError):
        made(Nobody, "t", stop=stop)


def until(told, broker, topic):
    while not told():
        broker.publish(batch(topic, ("a", "1")))
        broker.confirm()
    broker.close()


def test_statistics_go_to_the_callback_of_the_connection(kafka, topic, caplog):
    caplog.set_level("INFO")
    heard = []
    broker = opened(kafka, topic, **{"statistics.interval.ms": 20, "stats_cb": heard.append})
    until(lambda: heard, broker, topic)
    assert "statistics" not in caplog.text


def test_statistics_go_to_the_log_without_a_callback(kafka, topic, caplog):
    caplog.set_level("INFO")
    broker = opened(kafka, topic, **{"statistics.interval.ms": 20})
    until(lambda: "librdkafka statistics" in caplog.text, broker, topic)


def test_the_embedded_cluster_is_not_asked_for_limits(caplog):
    caplog.set_level("INFO")
    cluster = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": 1, "log_level": 0})
    cluster.list_topics("shop", timeout=10)
    (address,) = [str(broker).split("/")[0] for broker in cluster.list_topics(timeout=10).brokers.values()]

    class Embedded:
        bootstrap = address

    broker = opened(Embedded, "shop")
    broker.publish(batch("shop", ("a", "1"), ("b", "x" * 1_048_588)))
    assert [found.index for found in broker.confirm()] == [1]
    (line,) = [line for line in caplog.messages if "max.message.bytes" in line]
    assert "of shop can't be read" in line
    assert line.endswith("1048588")


def test_all_topics_that_are_missing_are_named_at_once(kafka, topics):
    first, second = topics.name(), topics.name()
    with pytest.raises(ConfigurationError, match=r"2 problems were found") as missing:
        made(kafka, first, second)
    assert repr(first) in str(missing.value)
    assert repr(second) in str(missing.value)


def test_a_topic_with_fewer_replicas_than_it_demands_is_refused(kafka, topics):
    topic = topics.make(min_insync_replicas="2")
    with pytest.raises(ConfigurationError, match=rf"topic '{topic}' demands min.insync.replicas=2, but has 1 replicas"):
        made(kafka, topic)


def test_a_topic_that_a_message_names_is_looked_up_once_and_found_when_it_comes(kafka, topics, monkeypatch):
    there, later = topics.make(), topics.name()
    broker = opened(kafka)
    listings = counted(monkeypatch, Topics, "refresh")
    described = counted(monkeypatch, Topics, "limits")

    def send(*names):
        broker.publish(Messages("", ["k"] * len(names), ["v"] * len(names), topics=list(names)))
        return [(found.index, found.error) for found in broker.confirm()]

    assert send(there, later, there) == [(1, "UNKNOWN_TOPIC_OR_PART")]
    assert send(later, there) == [(0, "UNKNOWN_TOPIC_OR_PART")]
    assert (len(listings), len(described)) == (1, 1)
    topics.make(later)
    monkeypatch.setattr(broker._routes, "_listed", float("-inf"))

    assert send(later, there) == []
    assert (len(listings), len(described)) == (2, 2)
    assert [found.value for found in topics.read(later)] == ["v"]
    broker.close()


def test_a_topic_that_a_message_names_is_made_where_topics_may_be_made(kafka, topics):
    broker, name = made(kafka, topic_partitions=2), topics.name()
    broker.publish(Messages("", ["k"], ["v"], topics=[name], partitions=[1]))

    assert broker.confirm() == []
    [found] = topics.read(name)
    assert (found.value, found.partition) == ("v", 1)
    broker.close()


def test_a_partition_that_a_topic_does_not_have_is_refused(kafka, topics):
    name = topics.make(partitions=2)
    broker = opened(kafka)
    broker.publish(Messages("", ["k", "k"], ["1", "2"], topics=[name, name], partitions=[2, 1]))

    [refused] = broker.confirm()
    assert (refused.index, refused.reason) == (0, f"partition 2 of topic '{name}', which has 2")
    assert [found.value for found in topics.read(name)] == ["2"]
    broker.close()


def counted(monkeypatch, owner, name):
    """The calls of a method, which goes on to work."""
    calls, method = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda self, *given: (calls.append(given), method(self, *given))[1])
    return calls
