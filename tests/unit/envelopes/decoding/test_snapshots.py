"""A snapshot behind changes lowers the completeness: what was deleted between is in no message."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoding.fast import batches
from tests.support.decoding import NOTHING, STREAM, batch, received, step, table
from tests.support.fake_target import FakeTarget

TABLE = table(id=Kind.INTEGER)


@pytest.fixture(autouse=True, params=[1, batches.SLICE])
def slices(request, monkeypatch):
    """Messages that are decoded together."""
    monkeypatch.setattr(batches, "SLICE", request.param)


def change(op, name="", partition=0):
    """A message of Debezium; the name is that of its snapshot."""
    source = {"snapshot": name or "false", "table": "t"}
    after = None if op in "dt" else {"id": 1}
    return '{"id":1}', {"before": {"id": 1}, "after": after, "source": source, "op": op}, partition


def event(op, id_, *headers, partition=0):
    """A message of our own log."""
    value = {"specversion": "1.0", "id": id_, "source": "/c/s.t", "op": op, "data": {"id": 1}}
    return "1", value, partition, headers


def loaded(kind):
    return None, {"database": "d", "table": "t", "type": kind, "data": {"id": 1} if "start" not in kind else {}}


READ, NEXT, AGAIN = "1@:0123abcd", "2@:0123abcd", "1@:0123abcd:g1"
EXACT = {
    "a first snapshot, then changes": (DebeziumDecoder, [change("r", "first"), change("r", "true"), change("u")]),
    "each partition on its own": (
        DebeziumDecoder,
        [change("r", "first"), change("u"), change("r", "true", 1), change("r", "last", 1), change("u", partition=1)],
    ),
    "changes alone": (DebeziumDecoder, [change("c"), change("u"), change("d")]),
    "an incremental snapshot beside the stream": (
        DebeziumDecoder,
        [change("u"), change("r", "incremental"), change("u")],
    ),
    "a snapshot in legs": (CloudEventsDecoder, [event("r", READ), event("u", "1@0/1,1"), event("r", NEXT)]),
    "rows that are sent again": (
        CloudEventsDecoder,
        [event("r", READ), event("u", "1@0/1,1"), event("r", AGAIN, ("mode", "replay"))],
    ),
    "a table that was emptied first": (
        CloudEventsDecoder,
        [event("u", "1@0/1,1"), (None, {"specversion": "1.0", "id": "x", "op": "t", "data": None}), event("r", AGAIN)],
    ),
    "a bootstrap beside changes": (
        MaxwellDecoder,
        [loaded("bootstrap-start"), loaded("bootstrap-insert"), loaded("insert"), loaded("bootstrap-insert")],
    ),
}
LOWERED = {
    "a lost slot": (DebeziumDecoder, [change("r", "first"), change("u"), change("r", "first")]),
    "a lost slot, by a later row": (DebeziumDecoder, [change("r", "first"), change("u"), change("r", "true")]),
    "a snapshot that began again": (DebeziumDecoder, [change("r", "first"), change("r", "true"), change("r", "first")]),
    "a table that is read again": (CloudEventsDecoder, [event("r", READ), event("u", "1@0/1,1"), event("r", AGAIN)]),
    "a full load and another": (CloudEventsDecoder, [event("r", "1@:0123abcd:1"), event("r", "1@:0123abcd:2")]),
    "a bootstrap behind changes": (MaxwellDecoder, [loaded("insert"), loaded("bootstrap-start")]),
    "another bootstrap": (
        MaxwellDecoder,
        [loaded("bootstrap-start"), loaded("bootstrap-insert"), loaded("insert"), loaded("bootstrap-start")],
    ),
}


def run(decoder, messages, size, met=None):
    found = step(decoder, FakeTarget(shapes={"t": TABLE}), on_truncate="apply")
    found.open()
    found.resume(met or {})
    decode, facts = found.compile(NOTHING, STREAM), dict(met or {})
    for at in range(0, len(messages), size):
        facts.update(decode(batch(received(*messages[at : at + size]))).facts)
    return found, facts


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("name", sorted(EXACT))
def test_it_stays_exact(name, size):
    make, messages = EXACT[name]
    found, facts = run(make(), messages, size)
    assert found.lowered() is None
    assert "lowered" not in facts


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("name", sorted(LOWERED))
def test_it_is_lowered(name, size, caplog):
    make, messages = LOWERED[name]
    with caplog.at_level(logging.WARNING):
        found, facts = run(make(), messages, size)
    level, reason = found.lowered()
    assert level == "best_effort"
    assert "snapshot of table t began behind" in reason
    assert facts["lowered"] == {"snapshot": reason}
    assert len([one for one in caplog.records if "watermark rewind" in one.getMessage()]) == 1


@pytest.mark.parametrize("name", sorted(LOWERED))
def test_it_is_noticed_by_the_next_run_and_kept_by_all(name):
    make, messages = LOWERED[name]
    _, facts = run(make(), messages[:-1], 1)
    assert "lowered" not in facts
    found, facts = run(make(), messages[-1:], 1, facts)
    assert found.lowered() is not None
    found, facts = run(make(), [], 1, facts)
    assert found.lowered() is not None
    assert "snapshot" in facts["lowered"]
