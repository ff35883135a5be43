"""Bytes of a record batch, counted by hand from the format's description."""

import pytest

from airflow_legacy_events.brokers.kafka import sizes
from airflow_legacy_events.brokers.kafka.sizes import record_batch_bytes
from airflow_legacy_events.core.model import Messages


def too_large(messages, limit):
    return sizes.too_large(messages, limit, lambda at: limit)


# 61 of the record batch's header, then a length, then attributes, timestamp delta, offset delta: 1 each.


@pytest.mark.parametrize(
    ("messages", "size"),
    [
        (Messages("t", [None], [None]), 61 + 1 + 3 + 1 + 1 + 1),
        (Messages("t", [""], [""]), 61 + 1 + 3 + 1 + 1 + 1),
        (Messages("t", ["ab"], ["cde"]), 61 + 1 + 3 + (1 + 2) + (1 + 3) + 1),
        (Messages("t", ["ä"], ["€"]), 61 + 1 + 3 + (1 + 2) + (1 + 3) + 1),
        (Messages("t", [None], [b"\xff\xff"]), 61 + 1 + 3 + 1 + (1 + 2) + 1),
        (Messages("t", ["k"], ["x" * 63]), 61 + 2 + 3 + (1 + 1) + (1 + 63) + 1),
        (Messages("t", ["k"], ["x" * 64]), 61 + 2 + 3 + (1 + 1) + (2 + 64) + 1),
        (Messages("t", ["k"], ["x" * 10_000]), 61 + 3 + 3 + (1 + 1) + (3 + 10_000) + 1),
        (Messages("t", ["k"], ["v"], (("a", "bc"),)), 61 + 1 + 3 + 2 + 2 + 1 + (1 + 1) + (1 + 2)),
        (Messages("t", ["k"], ["v"], (("a", "bc"),), [(("d", ""),)]), 61 + 1 + 3 + 2 + 2 + 1 + 2 + 3 + 2 + 1),
    ],
)
def test_a_record_batch_of_one_message(messages, size):
    assert record_batch_bytes(messages, 0) == size
    assert too_large(messages, size) == []
    assert too_large(messages, size - 1) == [(0, size)]


def test_only_what_is_above_the_limit_is_named():
    messages = Messages("t", ["a", "b", None, "d"], ["x" * 100, "x" * 1_000, None, "ü" * 500])
    assert [at for at, _ in too_large(messages, 500)] == [1, 3]


def test_each_message_has_its_own_limit():
    messages = Messages("t", ["a", "b", "c"], ["x" * 1_000, "x" * 1_000, "x" * 3_000])
    assert [at for at, _ in sizes.too_large(messages, 500, [2_000, 500, 2_000].__getitem__)] == [1, 2]


def test_where_every_message_is_below_the_smallest_limit_none_is_looked_at():
    sent = Messages("t", ["a", "b"], ["x" * 300, "x"], each=[(("id", "1"), ("type", "t")), ()])
    asked = []
    assert sizes.too_large(sent, 500, asked.append) == []
    assert asked == []


def test_headers_of_one_message_may_be_what_is_too_large():
    sent = Messages("t", ["a", "b", "c"], ["x", "x", "x"], each=[(), (("note", "€" * 200),), (("note", "x" * 200),)])
    assert [at for at, _ in too_large(sent, 500)] == [1]


def test_many_headers_count_too():
    headers = tuple((f"header-{at}", "x" * 100) for at in range(50))
    assert too_large(Messages("t", ["k"], ["v"], headers), 5_000) == [(0, 61 + 2 + 3 + 2 + 2 + 1 + 10 * 111 + 40 * 112)]


def test_no_messages_are_never_too_large():
    assert too_large(Messages("t", [], []), 1) == []


def test_a_timestamp_takes_no_room_in_a_record_batch_of_its_own():
    assert record_batch_bytes(Messages("t", ["k"], ["v"], timestamps=[1795425302123]), 0) == record_batch_bytes(
        Messages("t", ["k"], ["v"]), 0
    )
