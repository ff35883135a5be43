"""Golden messages of a change log: as `test_golden`, with an operation for each row, absent values and old rows.

The columns of `changes/<case>.json` are followed by the hidden ones of a log; "-" in a row is an absent value. A line
of `changes/<case>.jsonl` holds the place of the row, the key, the value, and the headers that differ by message.
"""

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.model import HIDDEN, Batch
from airflow_legacy_events.envelopes.compiler import compile_plan
from tests.golden.test_golden import ENVELOPES, stream

HERE = Path(__file__).parent / "changes"
CASES = sorted(path.stem for path in HERE.glob("*.json"))


def shape_of(case):
    own = tuple(Column(name, Kind(kind), type_) for name, kind, type_ in case["columns"])
    width = len(own)
    place, number, time, unchanged = range(width, width + len(HIDDEN))
    return Shape(
        (*own, *HIDDEN),
        tuple(case["data"]),
        tuple(case["key"]),
        () if case["snapshot"] else (place, number),
        time,
        before=tuple(case["before"]),
        unchanged=unchanged if case["unchanged"] else None,
        numbered=case["numbered"],
        table="public.orders",
    )


def encoder_of(case):
    options, shape = dict(case["envelope"]), shape_of(case)
    return shape, compile_plan(ENVELOPES[options.pop("name")](**options).plan(shape, stream(case["stream"])))


def rows_of(case):
    return [tuple(ABSENT if one == "-" else one for one in row) for row in case["rows"]]


def lines(found):
    each = found.each or [()] * len(found.values)
    messages = enumerate(zip(found.keys, found.values, each, strict=True))
    return [
        json.dumps([found.row_of(at), key, text, list(map(list, headers))], ensure_ascii=False)
        for at, (key, text, headers) in messages
    ]


def read(name):
    return json.loads((HERE / f"{name}.json").read_text()), (HERE / f"{name}.jsonl").read_text().splitlines()


@pytest.mark.parametrize("name", CASES)
def test_a_batch_becomes_exactly_these_messages(name):
    case, expected = read(name)
    (shape, encode), rows = encoder_of(case), rows_of(case)

    messages = encode(Batch(shape, rows, len(rows), None, case["ops"], case["counter"]))

    assert lines(messages) == expected
    assert [list(header) for header in messages.headers] == case["headers"]
    assert messages.everywhere is (case["ops"] == "t")


@pytest.mark.parametrize("name", CASES)
def test_a_row_becomes_the_same_message_alone_or_among_others(name):
    case, expected = read(name)
    (shape, encode), rows = encoder_of(case), rows_of(case)
    same = isinstance(case["ops"], str)

    alone = [
        line
        for row, op in zip(rows, [case["ops"]] * len(rows) if same else case["ops"], strict=True)
        for line in lines(encode(Batch(shape, [row], 1, None, op if same else [op], case["counter"])))
    ]
    many = encode(Batch(shape, rows * 600, 600 * len(rows), None, case["ops"] * (1 if same else 600), case["counter"]))

    assert [json.loads(line)[1:] for line in alone] == [json.loads(line)[1:] for line in expected]
    assert [json.loads(line)[1:] for line in lines(many)] == [json.loads(line)[1:] for line in expected] * 600
