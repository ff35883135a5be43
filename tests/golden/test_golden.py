"""The golden message set: plan inputs and rows in `<case>.json`, the exact values in `<case>.jsonl`, one a line.

Every encoder that takes a plan must give these bytes; another one is another line in `ENCODERS`.
"""

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import Column, Elements, Kind, Shape
from airflow_legacy_events.core.model import Batch, Formats, Stream, Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.compiler import compile_plan
from airflow_legacy_events.envelopes.plain import PlainEnvelope

ENCODERS = {"generated": compile_plan}
ENVELOPES = {"cloudevents": CloudEventsEnvelope, "plain": PlainEnvelope}
HERE = Path(__file__).parent
CASES = sorted(path.stem for path in HERE.glob("*.json"))


def value(written):
    return bytes.fromhex(written["bytes"]) if isinstance(written, dict) else written


def elements(written):
    return Elements(Kind(written[0]), written[1], written[2] and elements(written[2]))


def stream(written):
    headers = tuple(map(tuple, written.get("headers", ())))
    return Stream(**{**written, "formats": Formats(**written.get("formats", {})), "headers": headers})


def shape_of(case, *, checked):
    columns = tuple(
        Column(name, Kind(kind), type_, elements=elements(*more) if more else None, checked=checked)
        for name, kind, type_, *more in case["columns"]
    )
    return Shape(columns, tuple(case["data"]), tuple(case["key"]), tuple(case["watermark"]), case["time"])


def encode(case, rows, encoder, *, checked=False):
    shape = shape_of(case, checked=checked)
    options = dict(case["envelope"])
    plan = ENVELOPES[options.pop("name")](**options).plan(shape, stream(case["stream"]))
    return ENCODERS[encoder](plan)(Batch(shape, rows, len(rows), Watermark((), None, {}), case["op"], case["counter"]))


def read(name):
    case = json.loads((HERE / f"{name}.json").read_text())
    return case, [tuple(map(value, row)) for row in case["rows"]], (HERE / f"{name}.jsonl").read_text().splitlines()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", CASES)
def test_a_batch_becomes_exactly_these_messages(name, encoder):
    case, rows, values = read(name)
    messages = encode(case, rows, encoder)
    assert messages.topic == case["stream"]["topic"]
    assert list(messages.values) == values
    assert list(messages.keys) == case["keys"]
    assert [list(header) for header in messages.headers] == case["headers"]
    ids = [[["id", id_]] for id_ in case["ids"]] if "ids" in case else None
    each = None if messages.each is None else [[list(header) for header in headers] for headers in messages.each]
    assert each == case.get("each", ids)
    assert messages.timestamps == case.get("timestamps")


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", CASES)
def test_what_the_database_vouches_for_becomes_the_same(name, encoder):
    case, rows, values = read(name)
    assert list(encode(case, rows, encoder, checked=True).values) == values


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", CASES)
def test_a_row_becomes_the_same_message_alone_or_among_others(name, encoder):
    case, rows, values = read(name)
    alone = [encode(case, [row], encoder).values[0] for row in rows]
    assert alone == values
    many = encode(case, rows * 2_000, encoder)
    assert list(many.values) == values * 2_000


def unique(pairs):
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("name", CASES)
def test_every_golden_value_is_a_json_object_that_has_each_member_once(name):
    for line in read(name)[2]:
        assert isinstance(json.loads(line, object_pairs_hook=unique), dict)
