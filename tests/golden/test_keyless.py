"""Golden messages of rows without a key: as `test_golden`, with the numbers that tell equal rows apart.

A line of `keyless/<case>.jsonl` holds the key, the value, and the headers that differ by row.
"""

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.copies import CopiesByMark, CopiesBySum
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.envelopes.compiler import compile_plan
from tests.golden.test_golden import ENVELOPES, shape_of, stream, value

HERE = Path(__file__).parent / "keyless"
CASES = sorted(path.stem for path in HERE.glob("*.json"))


def encode(case, copies):
    shape, options = shape_of(case, checked=False), dict(case["envelope"])
    rows = [tuple(map(value, row)) for row in case["rows"]]
    batch = Batch(shape, rows, len(rows), Watermark((), None, {}), case["op"], case["counter"])
    batch.generation, batch.copies = case["generation"], copies
    plan = ENVELOPES[options.pop("name")](**options).plan(shape, stream(case["stream"]))
    return compile_plan(plan)(batch)


def lines(found):
    each = found.each or [()] * len(found.values)
    rows = zip(found.keys, found.values, each, strict=True)
    return [json.dumps([key, text, list(map(list, headers))]) for key, text, headers in rows]


@pytest.mark.parametrize("name", CASES)
def test_a_batch_becomes_exactly_these_messages(name):
    case = json.loads((HERE / f"{name}.json").read_text())
    assert lines(encode(case, CopiesByMark())) == (HERE / f"{name}.jsonl").read_text().splitlines()
    if not case["watermark"]:
        assert lines(encode(case, CopiesBySum())) == lines(encode(case, CopiesByMark()))
