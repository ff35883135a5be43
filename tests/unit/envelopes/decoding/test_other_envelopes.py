"""Messages of another envelope than the one that was named are refused, and the one that fits is named."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.hooks.registry import DECODERS, resolve
from tests.support.decoding import NOTHING, STREAM, batch, received, step, table
from tests.support.fake_target import FakeTarget

TABLE = table(id=Kind.INTEGER, a=Kind.TEXT)
ROW = {"id": 1, "a": "x"}
CHANGE = {"before": None, "after": ROW, "source": {"db": "d", "table": "t"}, "op": "c", "ts_ms": 1}
MESSAGES = {
    "cloudevents": {"specversion": "1.0", "id": "1", "source": "/c/s.t", "type": "row", "data": ROW},
    "debezium": CHANGE,
    "debezium with a schema": {"schema": {"type": "struct", "fields": []}, "payload": CHANGE},
    "maxwell": {"database": "d", "table": "t", "type": "insert", "ts": 1, "xid": 2, "data": ROW},
    "plain": ROW,
}


def decoded(envelope, message):
    found = step(resolve(DECODERS[envelope])(), FakeTarget(shapes={"t": TABLE}))
    found.open()
    return found.compile(NOTHING, STREAM)(batch(received(("1", json.dumps(message), 0, ()))))


@pytest.mark.parametrize("sent", sorted(MESSAGES))
@pytest.mark.parametrize("named", ["cloudevents", "debezium", "maxwell"])
def test_it_is_poison_and_none_is_skipped(named, sent):
    changes = decoded(named, MESSAGES[sent])
    if sent.startswith(named):
        assert changes.tables["t"].rows == [("1", "x")]
    else:
        assert [one.error for one in changes.poison] == ["NOT_JSON"]
    assert changes.skipped == 0


@pytest.mark.parametrize("sent", sorted(MESSAGES.keys() - {"plain"}))
def test_fields_of_an_envelope_have_no_column(sent):
    with pytest.raises(SchemaChangedError) as found:
        decoded("plain", MESSAGES[sent])
    assert f"look like events of envelope={sent.partition(' ')[0]!r}" in str(found.value)


def test_a_field_that_is_new_is_no_envelope():
    with pytest.raises(SchemaChangedError) as found:
        decoded("plain", {**ROW, "op": "x", "data": "y"})
    assert "envelope" not in str(found.value)
