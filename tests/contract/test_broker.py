"""What every broker promises, asked of the real one and of the one in memory."""

from __future__ import annotations

import time

import pytest

from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.ports import BrokerClient, Position
from airflow_legacy_events.errors import ConfigurationError
from tests.support.brokers import batch, kafka_world, memory_world

TOO_LARGE = "y" * 40_000


@pytest.fixture(params=["memory", "kafka"])
def world(request):
    made = (
        memory_world()
        if request.param == "memory"
        else kafka_world(request.getfixturevalue("kafka"), request.getfixturevalue("topics"))
    )
    yield made
    made.broker.close()


def test_it_is_a_broker(world):
    assert isinstance(world.broker, BrokerClient)
    assert world.broker.cluster_id
    assert world.broker.bootstrap


def test_messages_keep_the_order_in_which_they_were_published(world):
    assert world.send(*((str(at % 3), str(at)) for at in range(5_000))) == []
    assert world.values() == [str(at).encode() for at in range(5_000)]


def test_batches_keep_their_order(world):
    for at in range(20):
        assert world.send(("k", f"{at}a"), ("k", f"{at}b")) == []
    assert world.values() == [f"{at}{half}".encode() for at in range(20) for half in "ab"]


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [("grün", b"gr\xc3\xbcn"), ("", b""), (b"\x00\xff\xfe", b"\x00\xff\xfe"), (b"", b""), (None, None)],
)
def test_a_value_is_carried_byte_for_byte(world, value, bytes_):
    assert world.send(("k", value)) == []
    assert world.values() == [bytes_]


@pytest.mark.parametrize(("key", "bytes_"), [("schlüssel", b"schl\xc3\xbcssel"), ("", b""), (None, None)])
def test_a_key_is_carried_byte_for_byte(world, key, bytes_):
    assert world.send((key, "v")) == []
    assert [found.key for found in world.read(world.topic)] == [bytes_]


def test_without_headers_there_are_none(world):
    world.send(("k", "v"))
    assert [found.headers for found in world.read(world.topic)] == [()]


def test_a_constant_header_is_on_every_message(world):
    constant = (("content-type", "application/json"), ("mode", "replay"))
    world.broker.publish(Messages(world.topic, ["a", "b"], ["1", "2"], constant))
    assert world.broker.confirm() == []
    assert [found.headers for found in world.read(world.topic)] == [constant, constant]


def test_headers_of_single_messages_follow_the_constant_ones(world):
    each = [(("id", "1"),), (), (("id", "3"), ("grund", "zu groß"))]
    world.broker.publish(Messages(world.topic, ["a", "b", "c"], ["1", "2", "3"], (("content-type", "json"),), each))
    assert world.broker.confirm() == []
    assert [found.headers for found in world.read(world.topic)] == [
        (("content-type", "json"), ("id", "1")),
        (("content-type", "json"),),
        (("content-type", "json"), ("id", "3"), ("grund", "zu groß")),
    ]


def test_a_message_has_its_own_timestamp_or_the_time_of_sending(world):
    before = int(time.time() * 1000)
    own = [1, None, 1795425302123]
    world.broker.publish(Messages(world.topic, ["a", "b", "c"], ["1", "2", "3"], timestamps=own))
    assert world.broker.confirm() == []
    first, second, third = (found.timestamp for found in world.read(world.topic))
    assert (first, third) == (1, 1795425302123)
    assert second is None or second >= before


def test_a_message_sent_again_singly_keeps_its_headers_and_its_timestamp(world):
    each = [(("id", str(at)),) for at in range(3)]
    values = ["1", TOO_LARGE, "3"]
    world.broker.publish(Messages(world.topic, ["a", "b", "c"], values, (), each, timestamps=[11, 12, 13]))
    assert [found.index for found in world.broker.confirm()] == [1]
    assert [(found.headers, found.timestamp) for found in world.read(world.topic)] == [(each[0], 11), (each[2], 13)]


def test_nothing_published_is_nothing_to_confirm(world):
    assert list(world.broker.confirm()) == []
    world.send(("k", "v"))
    assert list(world.broker.confirm()) == []


def test_an_empty_batch_is_confirmed(world):
    assert list(world.send()) == []
    assert world.values() == []


def test_a_rejected_message_is_named_and_the_others_arrive_in_order(world):
    rejections = world.send(("a", "1"), ("b", "2"), ("a", TOO_LARGE), ("a", "3"), ("b", "4"), ("a", "5"))
    assert [(found.index, found.error) for found in rejections] == [(2, "MSG_SIZE_TOO_LARGE")]
    assert world.values() == [b"1", b"2", b"3", b"4", b"5"]


def test_a_reason_holds_no_content(world):
    (rejection,) = world.send(("secret-key", "secret" * 10_000))
    assert rejection.reason
    assert "secret" not in rejection.reason


def test_rejections_come_in_the_order_of_their_messages(world):
    rejections = world.send(("a", TOO_LARGE), ("b", "1"), ("c", TOO_LARGE), ("d", TOO_LARGE))
    assert [found.index for found in rejections] == [0, 2, 3]
    assert world.values() == [b"1"]


def test_places_count_over_everything_published_since_the_last_confirmation(world):
    world.broker.publish(batch(world.topic, ("a", "1"), ("b", TOO_LARGE), ("c", "3")))
    world.broker.publish(batch(world.roomy, ("d", TOO_LARGE)))
    world.broker.publish(batch(world.topic, ("e", "5"), ("f", TOO_LARGE)))
    assert [found.index for found in world.broker.confirm()] == [1, 5]
    assert world.values() == [b"1", b"3", b"5"]
    assert [found.key for found in world.read(world.roomy)] == [b"d"]


def test_a_rejection_is_told_once_and_the_next_batch_is_judged_anew(world):
    assert len(world.send(("a", TOO_LARGE))) == 1
    assert world.send(("a", "1"), ("b", "2")) == []
    assert [found.index for found in world.send(("a", "3"), ("a", TOO_LARGE))] == [1]
    assert world.values() == [b"1", b"2", b"3"]


def test_a_limit_counts_bytes_of_utf_8(world):
    assert world.send(("a", "x" * 20_000)) == []
    assert [found.index for found in world.send(("a", "€" * 20_000))] == [0]
    assert world.values() == [b"x" * 20_000]


def test_a_rejected_message_fits_another_topic_unchanged(world):
    each = [(("legacy-events-error", "MSG_SIZE_TOO_LARGE"),)]
    world.broker.publish(Messages(world.roomy, ["a"], [TOO_LARGE], (("content-type", "json"),), each))
    assert world.broker.confirm() == []
    (found,) = world.read(world.roomy)
    assert found.value == TOO_LARGE.encode()
    assert found.headers == (("content-type", "json"), ("legacy-events-error", "MSG_SIZE_TOO_LARGE"))


def test_the_newest_message_of_a_topic_is_found(world):
    assert world.broker.latest(world.topic) is None
    world.broker.publish(Messages(world.topic, ["a", "b"], ["1", "2"], timestamps=[1, 2]))
    world.broker.confirm()
    assert world.broker.latest(world.topic) == Position(0, 1)
    assert world.broker.latest(world.roomy) is None


def test_close_may_come_twice_and_with_messages_unconfirmed(world):
    world.broker.publish(batch(world.topic, ("a", "1")))
    world.broker.close()
    world.broker.close()


def test_each_message_may_have_a_topic_and_a_partition_of_its_own(world):
    routed = [world.topic, world.roomy, world.topic, world.roomy]
    sent = Messages("", ["a", "b", "a", "b"], ["1", "2", "3", "4"], topics=routed, partitions=[None, 0, None, None])
    world.broker.publish(sent)
    assert world.broker.confirm() == []
    assert world.values() == [b"1", b"3"]
    assert [found.value for found in world.read(world.roomy)] == [b"2", b"4"]


def test_a_limit_is_that_of_the_messages_own_topic(world):
    world.broker.publish(Messages("", ["a", "b"], [TOO_LARGE, TOO_LARGE], topics=[world.topic, world.roomy]))
    assert [(found.index, found.error) for found in world.broker.confirm()] == [(0, "MSG_SIZE_TOO_LARGE")]
    assert [found.key for found in world.read(world.roomy)] == [b"b"]


def test_what_would_be_refused_is_told_and_nothing_is_sent(world):
    messages = batch(world.topic, ("a", "1"), ("b", TOO_LARGE), ("c", "3"), ("d", TOO_LARGE))
    for _ in range(2):
        assert [(found.index, found.error) for found in world.broker.refused(messages)] == [
            (1, "MSG_SIZE_TOO_LARGE"),
            (3, "MSG_SIZE_TOO_LARGE"),
        ]
    assert list(world.broker.confirm()) == []
    assert world.values() == []


def test_other_messages_may_be_asked_about_before_some_are_sent(world):
    good, bad = batch(world.topic, ("a", "1")), batch(world.topic, ("b", TOO_LARGE))
    assert list(world.broker.refused(good)) == []
    assert [found.index for found in world.broker.refused(bad)] == [0]
    assert list(world.broker.refused(good)) == []
    world.broker.publish(good)
    assert list(world.broker.confirm()) == []
    assert world.values() == [b"1"]


def test_no_messages_are_refused_of_none(world):
    assert list(world.broker.refused(batch(world.topic))) == []
    assert list(world.broker.refused(Messages("", [], [], topics=[], partitions=[]))) == []


def test_what_is_left_out_is_neither_sent_nor_rejected(world):
    messages = batch(world.topic, ("a", "1"), ("b", TOO_LARGE), ("c", "3"), ("d", "4"))
    world.broker.publish(messages, {one.index for one in world.broker.refused(messages)} | {3})
    assert list(world.broker.confirm()) == []
    assert world.values() == [b"1", b"3"]


def test_everything_may_be_left_out(world):
    world.broker.publish(batch(world.topic, ("a", "1"), ("b", TOO_LARGE)), {0, 1})
    assert list(world.broker.confirm()) == []
    assert world.values() == []


def test_what_is_left_out_counts_where_places_are_counted(world):
    world.broker.publish(batch(world.topic, ("a", TOO_LARGE), ("b", "2")), {0})
    world.broker.publish(batch(world.topic, ("c", "3"), ("d", TOO_LARGE), ("e", "5")), {0})
    assert [found.index for found in world.broker.confirm()] == [3]
    assert world.values() == [b"2", b"5"]


def test_what_is_left_out_keeps_nothing_from_the_others(world):
    each = [(("id", str(at)),) for at in range(4)]
    routed = [world.topic, world.roomy, world.roomy, world.topic]
    sent = Messages(
        "", list("abcd"), list("0123"), (), each, [10, 11, None, 13], topics=routed, partitions=[0, 0, 0, None]
    )
    world.broker.publish(sent, {0, 2})
    assert list(world.broker.confirm()) == []
    assert [(found.value, found.headers, found.timestamp) for found in world.read(world.topic)] == [(b"3", each[3], 13)]
    assert [(found.value, found.headers, found.timestamp) for found in world.read(world.roomy)] == [(b"1", each[1], 11)]


def test_a_topic_that_is_missing_refuses_its_own_messages_only(world):
    routed = [world.topic, world.missing, world.roomy, world.missing]
    messages = Messages("", list("abcd"), list("0123"), topics=routed)
    refused = world.broker.refused(messages)
    assert [(found.index, found.error) for found in refused] == [(at, "UNKNOWN_TOPIC_OR_PART") for at in (1, 3)]
    assert all(found.reason for found in refused)
    world.broker.publish(messages)
    assert list(world.broker.confirm()) == refused
    assert world.values() == [b"0"]
    assert [found.value for found in world.read(world.roomy)] == [b"2"]


def test_a_topic_that_was_made_anew_under_its_name_is_another_one(world):
    assert world.broker.topic_id(world.topic)
    assert world.broker.topic_id(world.topic) != world.broker.topic_id(world.roomy)
    before = world.broker.topic_id(world.topic)
    world.send(("k", "1"))
    assert list(world.broker.remade()) == []

    world.remake(world.roomy)
    assert list(world.broker.remade()) == []  # nothing was written to it
    world.remake(world.topic)

    assert list(world.broker.remade()) == [world.topic]
    world.send(("k", "2"))
    assert list(world.broker.remade()) == [world.topic]
    assert world.values() == [b"2"]
    assert world.broker.topic_id(world.topic) == before  # as it was found


def test_of_topics_that_messages_name_those_made_anew_are_told(world):
    world.broker.publish(Messages("", ["a", "b"], ["1", "2"], topics=[world.topic, world.roomy]))
    assert world.broker.confirm() == []
    assert list(world.broker.remade()) == []
    world.remake(world.roomy)
    assert list(world.broker.remade()) == [world.roomy]


def test_it_knows_which_topics_take_no_message_without_a_key(world):
    assert world.broker.compacted([world.topic, world.compacted, world.missing]) == [world.compacted]
    (refused,) = world.broker.refused(batch(world.compacted, ("k", "1"), (None, "2")))
    assert refused.index == 1
    assert world.broker.refused(batch(world.roomy, (None, "2"))) == []


def test_topics_may_be_required_later_and_all_that_are_missing_are_one_error(world):
    also = f"{world.missing}-too"
    world.broker.require([])
    with pytest.raises(ConfigurationError) as missing:
        world.broker.require([world.topic, world.missing, world.roomy, also])
    assert repr(world.missing) in str(missing.value)
    assert repr(also) in str(missing.value)
    assert repr(world.roomy) not in str(missing.value)
    made = world.make(1)
    world.broker.require([made, world.topic])
    world.broker.require([made])
    world.broker.publish(batch(made, ("a", "1")))
    assert world.broker.confirm() == []
    assert [found.value for found in world.read(made)] == [b"1"]


def test_a_message_without_a_key_may_go_to_every_partition_that_a_topic_has(world):
    made = world.make(3)
    assert world.broker.partitions(made) == 3
    assert world.broker.partitions(world.topic) == 1
    assert world.broker.partitions(world.missing) == 0
    world.broker.require([made])
    everywhere = Messages(made, [None], ["truncated"], (), [(("op", "t"),)], [11], everywhere=True)
    world.broker.publish(everywhere.spread(world.broker.partitions))
    assert world.broker.confirm() == []
    for number in range(3):
        (found,) = world.read(made, number)
        assert (found.key, found.value, found.headers, found.timestamp) == (None, b"truncated", (("op", "t"),), 11)
