"""A person moves a watermark, or accepts its source as it is: the horizon of before says nothing any more."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.moves import ACCEPTED, Rewind, SetWatermark

HORIZON = {
    "mark": ["9"],
    "open": ["t1"],
    "server": {},
    "since": "2026-01-01T00:00:00+00:00",
    "drained": ["8"],
}
FACTS = {"kind": "query", "source": "crm", "columns": [["id", "bigint"]], "horizon": HORIZON, "last": ["x"]}
MARK = Watermark(("7",), None, FACTS)
MOVES = [
    SetWatermark(values=["5"]),
    SetWatermark(values=["70"]),
    Rewind(to="3"),
    Rewind(by="2"),
    *(SetWatermark(accept=[what]) for what in sorted({*ACCEPTED} - {"topic"})),
]


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_horizon_goes_with_what_it_was_of(move):
    assert "horizon" not in move.moved("s", MARK, None).facts


def test_a_topic_has_no_horizon():
    assert SetWatermark(accept=["topic"]).moved("s", MARK, None).facts["horizon"] == HORIZON


def test_a_horizon_that_can_not_be_understood_is_refused_before_anything_is_set():
    damaged = MARK._replace(facts={**FACTS, "horizon": {"mark": 9}})
    with pytest.raises(Exception, match="holds a fact 'horizon' that can't be understood"):
        SetWatermark(values=["5"]).moved("s", damaged, None)
