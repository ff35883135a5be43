"""Histories of a table, sent by each envelope and applied: the table equals a model, however batches and runs go."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from tests.support.applying import applied, rows_of
from tests.support.decoding import table
from tests.support.fake_target import FakeTarget

PARTITIONS = 3
TABLE = table(id=TargetColumn("", Kind.INTEGER, "integer"), a=Kind.TEXT, b=Kind.TEXT)

values = st.sampled_from([None, "x", "y", "ä"])
steps = st.tuples(
    st.sampled_from(["put", "put", "put", "put", "part", "move", "delete", "tombstone"]),
    st.integers(1, 5),
    st.integers(1, 5),
    values,
    values,
)


def possible(some):
    """The steps that a table can take: only a row that is there loses a field, a key, or itself."""
    found, there = [], set()
    for what, key, other, a, b in some:
        if (what in ("part", "delete", "move") and key not in there) or (what == "move" and other in there):
            continue
        found.append((what, key, other, a, b))
        there -= {key} if what in ("delete", "move", "tombstone") else set()
        there |= {other} if what == "move" else {key} if what in ("put", "part") else set()
    return found


def model(some):
    rows = {}
    for what, key, other, a, b in some:
        if what in ("delete", "tombstone"):
            rows.pop(str(key), None)
        elif what == "part":
            rows[str(key)] = (str(key), a, rows[str(key)][2])
        else:
            if what == "move":
                del rows[str(key)]
            new = str(other if what == "move" else key)
            rows[new] = (new, a, b)
    return rows


def cloudevents(what, key, other, a, b):
    def event(op, id_, data, **more):
        return str(id_), {"specversion": "1.0", "id": "e", "source": "/c/s.t", "op": op, **more, "data": data}

    return {
        "put": [event("u", key, {"id": key, "a": a, "b": b})],
        "part": [event("u", key, {"id": key, "a": a}, unchanged='["b"]')],
        "move": [event("d", key, {"id": key}), event("c", other, {"id": other, "a": a, "b": b})],
        "delete": [event("d", key, {"id": key}), (str(key), None)],
        "tombstone": [(str(key), None)],
    }[what]


def plain(what, key, other, a, b):
    return {
        "put": [(str(key), {"id": key, "a": a, "b": b})],
        "part": [(str(key), {"id": key, "a": a}, 0, [("op", "u"), ("unchanged", '["b"]')])],
        "move": [(str(key), None, 0, [("op", "d")]), (str(other), {"id": other, "a": a, "b": b})],
        "delete": [(str(key), None)],
        "tombstone": [(str(key), None)],
    }[what]


def debezium(what, key, other, a, b):
    def event(op, id_, *row, header=()):
        image = dict(zip(("id", "a", "b"), (id_, *row), strict=False))
        images = {"before": image if op == "d" else None, "after": None if op == "d" else image}
        return {"id": id_}, {**images, "source": {"table": "t"}, "op": op}, 0, header

    moved, came = [("__debezium.newkey", {"id": other})], [("__debezium.oldkey", {"id": key})]
    gone = ({"id": key}, None, 0, moved)
    return {
        "put": [event("u", key, a, b)],
        "part": [event("u", key, a, "__debezium_unavailable_value")],
        "move": [event("d", key, None, None, header=moved), gone, event("c", other, a, b, header=came)],
        "delete": [event("d", key, None, None), ({"id": key}, None)],
        "tombstone": [({"id": key}, None)],
    }[what]


def maxwell(what, key, other, a, b):
    def message(kind, id_, old=None):
        row = {"id": id_, "a": a, "b": b}
        more = {} if old is None else {"old": old}
        pk = {"database": "d", "table": "t", "pk.id": id_}
        return pk, {"database": "d", "table": "t", "type": kind, "ts": 1, "data": row, **more}

    return {
        "put": [message("insert", key)],
        "part": [message("update", key, {"a": "before"})],
        "move": [message("update", other, {"id": key})],
        "delete": [message("delete", key)],
        "tombstone": [(message("delete", key)[0], None)],
    }[what]


ENVELOPES = {
    "cloudevents": (CloudEventsDecoder, cloudevents),
    "plain": (PlainDecoder, plain),
    "debezium": (DebeziumDecoder, debezium),
    "maxwell": (MaxwellDecoder, maxwell),
}


def topic(some, encode, seed):
    """The messages as a reader may get them: each key on its partition, whose order alone is kept.

    A message of Maxwell with a changed key is for two keys, so that its order among others counts.
    """
    parts = [[] for _ in range(1 if encode is maxwell else PARTITIONS)]
    for one in some:
        for key, value, *rest in encode(*one):
            id_ = key["pk.id"] if "pk.id" in key else key["id"] if isinstance(key, dict) else int(key)
            headers = rest[1] if rest else ()
            parts[id_ % len(parts)].append((key, value, id_ % len(parts), headers))
    choice, found = random.Random(seed), []
    while left := [one for one in parts if one]:
        found.append(choice.choice(left).pop(0))
    return found


@pytest.mark.parametrize("name", sorted(ENVELOPES))
@given(
    some=st.lists(steps, max_size=25).map(possible),
    size=st.sampled_from([1, 7, 10_000]),
    runs=st.lists(st.integers(0, 40), max_size=2),
    seed=st.integers(0, 2**16),
)
def test_the_table_equals_the_model(name, some, size, runs, seed):
    make, encode = ENVELOPES[name]
    if encode is maxwell:  # its messages always have whole rows
        some = [("put" if one[0] == "part" else one[0], *one[1:]) for one in some]
    messages, target = topic(some, encode, seed), FakeTarget(shapes={"t": TABLE})
    for end in [*sorted(runs), len(messages)]:
        applied(make(), target, messages[:end], size=size)
    assert rows_of(target) == model(some)
