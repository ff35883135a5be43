"""The decoding step: batches of messages become changes of tables."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError
from airflow_legacy_events.core.model import DELETE, UPSERT, Form, Meaning, Wire
from airflow_legacy_events.core.ports import Decoder
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from tests.support.decoding import decoded, poison, received, rows, step, table
from tests.support.fake_target import FakeTarget

ORDERS = table(id=Kind.INTEGER, v=Kind.TEXT)


def event(op="u", data=None, **more):
    return {"specversion": "1.0", "id": "e", "source": "/c/s.t", "type": "x", "op": op, "data": data, **more}


def test_a_tombstone_beside_a_delete_is_skipped_and_one_alone_deletes():
    found = decoded(
        CloudEventsDecoder(),
        ORDERS,
        ("1", event("u", {"id": 1, "v": "a"})),
        ("1", event("d", {"id": 1})),
        ("1", None),
        ("2", None),
    )
    assert rows(found) == [("u", {"id": "1", "v": "a"}), ("d", {"id": "1"}), ("d", {"id": "2"})]
    assert (found.skipped, poison(found)) == (1, [])


def test_both_messages_of_a_changed_key_are_one_change():
    found = decoded(
        DebeziumDecoder(),
        ORDERS,
        ('{"id":1}', {"before": {"id": 1}, "after": None, "op": "d"}, 0, [("__debezium.newkey", {"id": 2})]),
        ('{"id":1}', None),
        ('{"id":2}', {"before": None, "after": {"id": 2}, "op": "c"}, 0, [("__debezium.oldkey", {"id": 1})]),
    )
    assert rows(found) == [("u", {"id": "2"})]
    assert found.tables["t"].moved == {0: ("1",)}
    assert found.skipped == 2


def test_a_changed_key_whose_delete_is_not_at_hand_is_an_upsert_of_the_new_key():
    found = decoded(
        DebeziumDecoder(),
        ORDERS,
        ('{"id":2}', {"before": None, "after": {"id": 2}, "op": "c"}, 0, [("__debezium.oldkey", {"id": 1})]),
    )
    assert rows(found) == [("u", {"id": "2"})]
    assert found.tables["t"].moved == {}


DELETED = [("1", event("u", {"id": 1, "v": "a"})), ("1", event("d", {"id": 1, "v": "a"})), ("2", None)]


def test_deletes_are_skipped():
    found = decoded(CloudEventsDecoder(), ORDERS, *DELETED, on_delete="skip")
    assert rows(found) == [("u", {"id": "1", "v": "a"})]
    assert (found.skipped, poison(found)) == (2, [])


def test_deletes_are_faults():
    found = decoded(CloudEventsDecoder(), ORDERS, *DELETED, on_delete="fail")
    assert poison(found) == [(1, "VALUE"), (2, "VALUE")]
    assert "on_delete='fail'" in found.poison[0].reason


def test_soft_deletes_are_deletes_that_the_target_turns_into_a_mark():
    found = decoded(
        CloudEventsDecoder(),
        table(id=Kind.INTEGER, v=Kind.TEXT, gone=Kind.BOOLEAN),
        *DELETED,
        on_delete="soft",
        deleted_column="gone",
    )
    assert [op for op, _ in rows(found)] == ["u", "d", "d"]
    assert found.tables["t"].shape.deleted == 2


def test_a_delete_has_the_version_that_its_message_has():
    shape = table(id=Kind.INTEGER, v=Kind.INTEGER, o=Kind.INTEGER)
    some = [("1", event("d", {"id": 1, "v": 7})), ("2", event("d", {"id": 2, "v": 7}))]
    assert rows(decoded(CloudEventsDecoder(), shape, *some, version_column="v")) == [
        ("d", {"id": "1", "v": "7"}),
        ("d", {"id": "2", "v": "7"}),
    ]
    place = {"version_column": "o", "metadata_columns": {"offset": "o"}}
    assert rows(decoded(CloudEventsDecoder(), shape, *some, **place)) == [
        ("d", {"id": "1", "o": "0"}),
        ("d", {"id": "2", "o": "1"}),
    ]


def test_appended_deletes_are_rows_that_say_so():
    shape = table(id=Kind.INTEGER, v=Kind.TEXT, op=Kind.TEXT)
    found = decoded(CloudEventsDecoder(), shape, *DELETED, mode="append", metadata_columns=["op"])
    assert rows(found) == [("u", {"id": "1", "v": "a", "op": "u"}), ("u", {"id": "1", "v": "a", "op": "d"})]
    assert found.skipped == 1
    without = decoded(CloudEventsDecoder(), ORDERS, *DELETED, mode="append")
    assert poison(without) == [(1, "VALUE")]
    assert "metadata_columns=['op']" in without.poison[0].reason


TRUNCATED = [
    ("1", event("u", {"id": 1}), 0),
    (None, event("t"), 0),
    ("2", event("u", {"id": 2}), 0),
    (None, event("t"), 1),
    ("3", event("u", {"id": 3}), 1),
]


def test_a_truncate_counts_once_though_it_is_on_every_partition():
    found = decoded(CloudEventsDecoder(), ORDERS, *TRUNCATED, on_truncate="apply")
    assert rows(found) == [("u", {"id": "1"}), ("t", {}), ("u", {"id": "2"}), ("u", {"id": "3"})]
    assert found.skipped == 1


def test_truncates_are_skipped_or_end_the_run():
    assert decoded(CloudEventsDecoder(), ORDERS, *TRUNCATED, on_truncate="skip").skipped == 2
    with pytest.raises(DeliveryError, match=r"a\.t\[0\]@1 truncates table 't', and on_truncate='fail'"):
        decoded(CloudEventsDecoder(), ORDERS, *TRUNCATED)


def test_where_truncates_are():
    target = FakeTarget(shapes={"t": ORDERS})
    some = received(*TRUNCATED, (None, None, 0, [("ce_specversion", "1.0"), ("ce_op", "t"), ("ce_id", "x")]))
    find = step(CloudEventsDecoder(), target, on_truncate="apply").truncates
    assert find(some) == [(1, "e"), (3, "e")]
    assert step(CloudEventsDecoder(), target).truncates is None
    plain = received((None, "null", 0, [("op", "t"), ("id", "x")]), ("1", {"op": "t"}))
    assert step(PlainDecoder(), target, on_truncate="apply").truncates(plain) == [(0, "x")]


def test_truncates_on_one_partition_of_several():
    target = FakeTarget(shapes={"t": ORDERS})
    found = step(DebeziumDecoder(), target, on_truncate="apply")
    assert found.truncates is None
    found.check_partitions({"a.t": 1})
    with pytest.raises(ConfigurationError, match="on_truncate='apply' is not possible here"):
        found.check_partitions({"a.t": 3})
    step(CloudEventsDecoder(), target, on_truncate="apply").check_partitions({"a.t": 3})


def test_what_is_unchanged_is_named_by_the_column():
    data = event("u", {"id": 1}, unchanged='["v","other"]')
    found = decoded(CloudEventsDecoder(), ORDERS, ("1", data), columns={"id": "id", "v": "v"})
    assert found.tables["t"].partial == {0: ("v",)}


def test_a_delete_between_upserts_that_are_decoded_together():
    some = [("1", event("u", {"id": 1})), ("1", event("d", {"id": 1})), ("1", event("u", {"id": 1})), ("1", None)]
    found = decoded(CloudEventsDecoder(), ORDERS, *some)
    assert [op for op, _ in rows(found)] == ["u", "d", "u", "d"]
    assert found.tables["t"].places == [0, 1, 2, 3]


def test_sizes():
    found = decoded(PlainDecoder(), ORDERS, ("1", {"id": 1}), ("22", None))
    assert (found.bytes, found.longest) == (12, 10)


class Own:
    """A decoder of somebody else: `id|v`."""

    def read(self, received, at):
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {})
        id_, _, v = value.decode().partition("|")
        return Meaning(UPSERT, {"id": Wire(Form.NUMBER, id_), "v": Wire(Form.TEXT, v)}, id=id_)

    def key(self, key, names):
        return {names[0]: Wire(Form.TEXT, key.decode())}


def test_a_decoder_of_somebody_else():
    assert isinstance(Own(), Decoder)
    found = decoded(Own(), ORDERS, ("1", "1|a"), ("2", None), ("3", "x|a"))
    assert rows(found) == [("u", {"id": "1", "v": "a"}), ("d", {"id": "2"})]
    assert poison(found) == [(2, "VALUE")]
