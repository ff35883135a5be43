"""Messages of our own envelopes are understood as the rows that they were made of."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received, TargetColumn, TargetShape
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.envelopes.decoders.values import Options
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler

GOLDEN = Path(__file__).parents[3] / "golden"
CHANGES = sorted(path.stem for path in (GOLDEN / "changes").glob("*.json"))
OPS = {"c": UPSERT, "u": UPSERT, "r": UPSERT, "d": DELETE, "t": TRUNCATE}


def decoded(case, messages):
    columns = tuple(TargetColumn(name, Kind(kind), type_) for name, kind, type_ in case["columns"])
    shape = TargetShape("orders", columns, tuple(case["key"]))
    reader = {"cloudevents": CloudEventsDecoder, "plain": PlainDecoder}[case["envelope"]["name"]]()
    names = {at: one.name for at, one in enumerate(columns) if at not in case.get("before", ())}
    assembler = TableAssembler(shape, names, reader, Options())
    keys, values, headers = zip(*messages, strict=True)
    count = len(keys)
    received = Received(
        ["t"] * count,
        [0] * count,
        range(count),
        [None if one is None else one.encode() for one in keys],
        [None if one is None else one.encode() for one in values],
        [[(name, text.encode()) for name, text in one] for one in headers],
        [None] * count,
    )
    for at in range(count):
        meaning = reader.read(received, at)
        assert meaning is not None
        assembler.add(meaning, received, at)
    return assembler.take()


def plain(value):
    """A value whose spelling may differ: a time with or without digits of a second."""
    try:
        return dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return {"t": "true", "f": "false"}.get(value, value)


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_a_log(name):
    case = json.loads((GOLDEN / "changes" / f"{name}.json").read_text())
    lines = [json.loads(one) for one in (GOLDEN / "changes" / f"{name}.jsonl").read_text().splitlines()]
    same = [tuple(one) for one in case["headers"]]
    found = decoded(case, [(key, value, [*same, *map(tuple, each)]) for _, key, value, each in lines])
    ops = [case["ops"]] * len(case["rows"]) if isinstance(case["ops"], str) else case["ops"]
    for place, op, row in zip(found.places, found.ops, found.rows, strict=True):
        at = lines[place][0]
        assert op == OPS[ops[at]] or op == DELETE  # the row before a key change, or a tombstone
        if op != UPSERT:
            continue
        for position in set(case["data"]) | set(case["key"]):
            sent = case["rows"][at][position]
            assert plain(row[position]) == (ABSENT if sent == "-" else plain(sent)), (name, at, position)


@pytest.mark.parametrize("name", ["plain", "timestamp_watermark", "hidden_composite_key", "binary", "id_watermark"])
def test_rows_of_a_query(name):
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    values = (GOLDEN / f"{name}.jsonl").read_text().splitlines()
    same = [tuple(one) for one in case["headers"]]
    each = [tuple(map(tuple, one)) for one in case.get("each") or [()] * len(values)]
    messages = [(key, value, [*same, *own]) for key, value, own in zip(case["keys"], values, each, strict=True)]
    found = decoded(case, messages)
    for row, sent in zip(found.rows, case["rows"], strict=True):
        for position in set(case["data"]) | set(case["key"]):
            assert plain(row[position]) == plain(sent[position])
