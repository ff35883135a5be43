"""The decoding step: batches of messages become changes of tables."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from tests.support.decoding import decoded, poison, rows, table

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
