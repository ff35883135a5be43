"""What a message names and the real cluster would not take is refused before anything is sent."""

import datetime as dt

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.producer import IdempotentProducer
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Messages
from tests.support.brokers import opened, raw

ILLEGAL = ["", ".", "..", "a b", "größe", "a/b", "a\n", "x" * 250]
INTERNAL = ["__consumer_offsets", "__transaction_state", "__share_group_state"]


def routed(*names, size=1, **more):
    values = [str(at).ljust(size, "x") for at in range(len(names))]
    return Messages("", ["k"] * len(names), values, topics=list(names), **more)


def told(rejections):
    return [(one.index, one.error) for one in rejections]


def makes(kafka, partitions=1, **config):
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap},
        delivery_timeout=dt.timedelta(seconds=30),
        topics=(),
        topic_partitions=partitions,
        topic_config=config,
    )
    broker.open()
    return broker


def known(kafka):
    return kafka.admin.list_topics(timeout=10).topics


@pytest.mark.parametrize("creates", [False, True])
def test_a_name_that_no_topic_can_have_refuses_its_message_and_is_not_repeated(kafka, topic, creates):
    broker = makes(kafka) if creates else opened(kafka)
    messages = routed(topic, *ILLEGAL, topic)
    refused = broker.refused(messages)
    assert told(refused) == [(at, "TOPIC_EXCEPTION") for at in range(1, 1 + len(ILLEGAL))]
    assert not any(name in one.reason for name, one in zip(ILLEGAL, refused, strict=True) if len(name) > 2)
    broker.publish(messages)
    assert broker.confirm() == refused
    assert [found.value for found in raw(kafka, topic)] == [b"0", str(len(ILLEGAL) + 1).encode()]


@pytest.mark.parametrize("name", ILLEGAL)
def test_the_cluster_calls_the_same_names_illegal(kafka, name):
    with pytest.raises(KafkaException) as refused:
        kafka.admin.create_topics([NewTopic(name, 1, 1)])[name].result(10)
    assert refused.value.args[0].name() == "TOPIC_EXCEPTION"


@pytest.mark.parametrize("name", ["x", "X.y_z-9", "...", "x" * 249])
def test_a_legal_name_is_none_of_those(kafka, name):
    assert told(opened(kafka).refused(routed(name))) == [(0, "UNKNOWN_TOPIC_OR_PART")]


def test_topics_of_kafkas_own_take_no_message(kafka, topic):
    assert told(opened(kafka).refused(routed(topic, *INTERNAL))) == [
        (at, "TOPIC_EXCEPTION") for at in range(1, 1 + len(INTERNAL))
    ]


def test_an_illegal_name_at_the_start_is_an_error_of_the_run(kafka):
    with pytest.raises(ConfigurationError, match="'a b'"):
        opened(kafka, "a b")


@pytest.mark.parametrize("together", [False, True])
def test_a_topic_is_not_made_beside_one_that_kafka_takes_for_it(kafka, topics, together):
    name = topics.name()
    dotted, underscored = f"{name}.x", f"{name}_x"
    broker = makes(kafka)
    if not together:
        broker.refused(routed(dotted))
    messages = routed(dotted, underscored, dotted)
    (refused,) = broker.refused(messages)
    assert (refused.index, refused.error) == (1, "TOPIC_EXCEPTION")
    assert "collides" in refused.reason
    broker.publish(messages, {1})
    assert broker.confirm() == []
    assert underscored not in known(kafka)


def test_two_topics_that_kafka_takes_for_one_are_written_to_where_they_exist(kafka, topics):
    name = topics.name()
    pair = [f"{name}.x", f"{name}_x"]
    for answer in kafka.admin.create_topics([NewTopic(one, 1, 1) for one in pair]).values():
        answer.result(10)
    broker = makes(kafka)
    broker.publish(routed(*pair))
    assert broker.confirm() == []
    assert [[found.value for found in raw(kafka, one)] for one in pair] == [[b"0"], [b"1"]]


def test_a_topic_that_can_not_be_made_refuses_its_messages_by_the_clusters_error(kafka, topics, topic):
    broker, name = makes(kafka, **{"replication.factor": "3"}), topics.name()
    (refused,) = broker.refused(routed(topic, name))
    assert (refused.index, refused.error) == (1, "INVALID_REPLICATION_FACTOR")
    assert "eplication factor" in refused.reason
    assert "Nothing was read" not in refused.reason


def test_topics_that_are_missing_are_made_in_one_request(kafka, topics):
    names = [topics.name() for _ in range(20)]
    broker = makes(kafka, partitions=2, **{"max.message.bytes": "2000"})
    broker.publish(routed(*names))
    assert broker.confirm() == []
    assert {len(known(kafka)[name].partitions) for name in names} == {2}
    assert told(broker.refused(routed(*names, size=3_000))) == [(at, "MSG_SIZE_TOO_LARGE") for at in range(20)]


def test_each_topic_has_its_own_limit_also_above_those_known_at_the_start(kafka, topics):
    small, roomy = topics.make(max_message_bytes="5000"), topics.make(max_message_bytes="4000000")
    broker = opened(kafka, topics.make())
    broker.publish(routed(small, roomy, size=3_000_000))
    assert told(broker.confirm()) == [(0, "MSG_SIZE_TOO_LARGE")]
    assert [len(found.value) for found in raw(kafka, roomy)] == [3_000_000]


def test_record_batches_fit_a_topic_that_is_met_on_the_way_and_earlier_messages_arrive(kafka, topics, monkeypatch):
    first, small = topics.make(), topics.make(max_message_bytes="2000")
    broker = opened(kafka, first, **{"compression.type": "none"})
    singly = []
    monkeypatch.setattr(IdempotentProducer, "send_one", lambda self, *given: singly.append(given))
    broker.publish(routed(*[first] * 100, size=300))
    broker.publish(routed(*[first, small] * 100, size=300))
    assert broker.confirm() == []
    assert (len(raw(kafka, first)), len(raw(kafka, small))) == (200, 100)
    assert singly == []


def test_a_message_without_a_key_is_refused_where_its_topic_is_compacted(kafka, topics, topic, monkeypatch):
    compacted = topics.make(cleanup_policy="compact,delete")
    broker = opened(kafka)
    monkeypatch.setattr(IdempotentProducer, "send_one", None)
    messages = routed(compacted, topic, compacted, compacted)
    messages.keys = ["a", None, None, ""]
    broker.publish(messages)
    assert told(broker.confirm()) == [(2, "INVALID_RECORD")]
    assert [len(raw(kafka, name)) for name in (compacted, topic)] == [2, 1]


def test_a_topic_that_was_made_after_the_run_began_is_found(kafka, topics, topic):
    broker = opened(kafka, topic)
    broker.publish(routed(topics.make(), topic))
    assert broker.confirm() == []


def test_a_partition_that_was_added_meanwhile_is_found(kafka, topic, monkeypatch):
    broker = opened(kafka, topic)
    messages = routed(topic, topic, partitions=[1, 0])
    assert told(broker.refused(messages)) == [(0, "UNKNOWN_TOPIC_OR_PART")]
    kafka.admin.create_partitions([NewPartitions(topic, 2)])[topic].result(10)
    monkeypatch.setattr(broker._routes, "_listed", float("-inf"))
    again = routed(topic, topic, partitions=[1, 0])
    assert broker.refused(again) == []
    broker.publish(again)
    assert broker.confirm() == []
    assert [found.value for found in raw(kafka, topic, 1)] == [b"0"]


def test_a_topic_that_is_gone_by_now_refuses_its_messages(kafka, topics, topic, monkeypatch):
    gone = topics.make()
    broker = opened(kafka)
    assert broker.refused(routed(topic, gone)) == []
    kafka.admin.delete_topics([gone])[gone].result(10)
    monkeypatch.setattr(broker._routes, "_listed", float("-inf"))
    assert told(broker.refused(routed(topic, gone, topics.name()))) == [(at, "UNKNOWN_TOPIC_OR_PART") for at in (1, 2)]


def only(kafka, user, topic, operation):
    """Leave a topic to one user, for one operation."""
    right = AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, user, "*", operation, AclPermissionType.ALLOW
    )
    kafka.admin.create_acls([right])[right].result(30)


def test_a_topic_that_the_user_may_not_write_to_refuses_its_messages(second_kafka):
    kafka = second_kafka(
        authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        allow_everyone_if_no_acl_found="true",
    )
    for name in ("closed", "hidden", "open"):
        kafka.admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
    only(kafka, "User:ANONYMOUS", "closed", AclOperation.READ)
    for name in ("hidden", "hidden-new"):
        only(kafka, "User:somebody", name, AclOperation.ALL)
    messages = routed("open", "closed", "hidden", "open", "hidden-new")

    errors = [(1, "TOPIC_AUTHORIZATION_FAILED"), (2, "UNKNOWN_TOPIC_OR_PART"), (4, "UNKNOWN_TOPIC_OR_PART")]
    assert told(opened(kafka).refused(messages)) == errors
    broker = makes(kafka)
    refused = broker.refused(messages)
    assert told(refused) == [(at, "TOPIC_AUTHORIZATION_FAILED") for at in (1, 2, 4)]
    assert [one.reason.partition(", who ")[2] for one in refused] == ["may DESCRIBE, READ", *["has no right on it"] * 2]
    broker.publish(messages)
    assert broker.confirm() == refused
    assert [found.value for found in raw(kafka, "open")] == [b"0", b"3"]


def test_the_embedded_cluster_takes_what_is_named_on_the_way():
    cluster = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": 1, "log_level": 0})
    cluster.list_topics("shop", timeout=10)
    (address,) = [str(broker).split("/")[0] for broker in cluster.list_topics(timeout=10).brokers.values()]

    class Embedded:
        bootstrap = address

    broker = opened(Embedded)
    broker.publish(routed("shop", "other", "shop", timestamps=[1, 2, 3]))
    assert told(broker.confirm()) == [(1, "UNKNOWN_TOPIC_OR_PART")]
