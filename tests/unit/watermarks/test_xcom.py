"""How far a store in XComs looks back, and what it makes of what it finds."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import codec, xcom
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError
from airflow_legacy_events.watermarks.xcom import LONGEST_LOOK_BACK, XComWatermarkStore
from airflow_legacy_events.watermarks.xcom_runs import PastRun
from tests.support.stores import Runs

STREAM = "crm.orders@t"
MARK = Watermark(("42",), None, {"run": "r1"})
MINE, REPLAY, OTHER = {STREAM: codec.encode(MARK)}, {}, {"crm.orders@u": codec.encode(MARK)}


def store(*contents):
    """Over past runs, the newest first."""
    runs = Runs()
    first = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    runs.past = [PastRun(f"r{at}", first - dt.timedelta(at), content) for at, content in enumerate(contents)]
    return XComWatermarkStore(runs)


@pytest.mark.parametrize("newer", [[], [REPLAY], [OTHER], [None], [REPLAY, None, OTHER] * 16])
def test_the_last_run_that_moved_the_stream_counts(newer):
    assert store(*newer, MINE).load(STREAM) == MARK


@pytest.mark.parametrize(
    ("contents", "begins_again"),
    [
        ([], True),
        ([REPLAY, OTHER], True),
        ([None], False),
        ([REPLAY, None], False),
        ([REPLAY] * LONGEST_LOOK_BACK, False),
        ([REPLAY] * LONGEST_LOOK_BACK + [MINE], False),
        ([{STREAM: None}, MINE], True),
        ([None, {STREAM: None}, MINE], False),
    ],
)
def test_only_where_no_run_can_have_had_one_the_stream_may_begin_again(contents, begins_again):
    made = store(*contents)

    assert made.load(STREAM) is None
    assert made.begins_again is begins_again


@pytest.mark.parametrize("content", ["nonsense", 5, [1], {STREAM: 5}, {STREAM: "nonsense"}])
def test_what_a_person_broke_in_a_past_run_is_an_error(content):
    with pytest.raises(DamagedWatermarkError, match="run 'r0' can't be understood"):
        store(content, MINE).load(STREAM)


def test_a_run_that_moves_no_watermark_leaves_a_note():
    made = store()
    made.pass_by({})

    assert made._runs.pushed == {}
    assert xcom.KEY == "watermark"


def test_a_run_that_takes_the_place_of_one_that_moved_a_watermark_leaves_that():
    made = store()
    made.pass_by(MINE)

    assert store(made._runs.pushed).load(STREAM) == MARK


def test_where_another_run_has_ended_the_first_load_none_begins_again():
    made = store(REPLAY)
    made._runs.loaded_before = True

    assert made.load(STREAM) is None
    assert not made.begins_again


def test_only_a_first_load_is_noted():
    for contents, noted in (([], True), ([MINE], False)):
        made = store(*contents)
        made.save(STREAM, MARK._replace(values=("43",)), expected=made.load(STREAM))
        assert made.succeeded(STREAM) == made._runs.pushed[STREAM]
        assert made._runs.loaded_before is noted
