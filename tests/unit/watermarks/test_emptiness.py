"""Watermarks that a person emptied, and those that a run left empty."""

import json

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.codec import decode, encode

COLUMNS = {"columns": [["updated_at", "timestamptz"], ["id", "int8"]]}
SAVED = Watermark(("2026-11-23", "42"), None, {**COLUMNS, "placed": True})


def edited(mark, **changed):
    content = {**json.loads(encode(mark)), **changed}
    return json.dumps({name: one for name, one in content.items() if one is not ...})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (edited(SAVED, values=...), "no values; a stream that has delivered nothing has null there"),
        (edited(SAVED, values=..., value=[{"text": "7"}]), "no values;"),
        ('{"version": 1, "facts": {}}', "no values;"),
        (edited(SAVED, values=[]), "no values beside the fact 'placed'"),
        (
            edited(SAVED, values=None, facts={"kind": "queue", "placed": True}),
            "the values null beside the fact 'placed'",
        ),
        (edited(SAVED, values=None), "the values null beside the fact 'placed'"),
        (edited(SAVED._replace(receipt=([1, 5],), facts=COLUMNS), values=[]), "no values beside a receipt"),
        (edited(SAVED._replace(receipt=([1, 5],), facts=COLUMNS), values=None), "null beside a receipt"),
        (edited(SAVED, values=None, facts={**COLUMNS, "included": True}), "null beside facts of rows"),
        (edited(SAVED, values=None, facts={**COLUMNS, "drained": 3}), "null beside facts of rows"),
        (edited(SAVED, values=None, facts={"load": {"number": 2, "done": True}}), "null beside facts of rows"),
        ('{"version": 1, "values": [], "facts": {}}', "no values and none of the facts load, nulls, reset, columns"),
        ('{"version": 1, "values": [], "facts": {"topic": "t"}}', "no values and none of the facts"),
        (edited(SAVED, values=[{"text": "2026-11-23"}]), "1 values for 2 columns"),
        (edited(SAVED, values=[{"text": "7"}], facts=COLUMNS), "1 values for 2 columns"),
    ],
)
def test_a_watermark_that_lacks_its_values_is_refused_with_the_commands(text, found):
    with pytest.raises(WatermarkError) as refused:
        decode(text, stream="crm.orders@t", place="Variable 'v'")

    message = str(refused.value)
    assert found in message
    assert "`airflow legacy-events watermark set crm.orders@t VALUE...`" in message
    assert "2026-11-23" not in message


@pytest.mark.parametrize(
    "mark",
    [
        Watermark(None, None, COLUMNS),
        Watermark(None, None, {**COLUMNS, "load": {"number": 1, "done": False}, "drained": 0}),
        Watermark(None, None, {**COLUMNS, "load": "broken", "drained": "broken"}),
        Watermark((), None, COLUMNS),
        Watermark((), None, {"load": {"number": 1, "done": True}}),
        Watermark((), None, {"reset": {"query": "a", "values": ["7"]}}),
        Watermark(("7",), None, {**COLUMNS, "included": True}),
        Watermark(("7",), None, {**COLUMNS, "person": "ann", "placed": True}),
        Watermark(("7",), None, {**COLUMNS, "nulls": {"number": 1, "done": True}}),
        Watermark(("7",), None, {"columns": 5}),
        Watermark((), ([1, 5],), {"kind": "queue"}),
        Watermark(None, ([1, 5],), {"kind": "queue"}),
        Watermark(("7",), None, {**COLUMNS, "kind": "queue", "placed": True}),
        SAVED,
    ],
)
def test_what_runs_and_people_leave_is_read(mark):
    assert decode(encode(mark), stream="s", place="p") == mark
