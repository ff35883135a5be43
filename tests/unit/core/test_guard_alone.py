"""Indexes of one mapped task that move one stream in one run for different queries."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import WatermarkError

STORED = {"dag": "d", "task": "t", "run": "r1", "map_index": 0, "rendered": "a"}


def test_another_index_with_another_query_in_the_same_run_is_refused():
    with pytest.raises(WatermarkError, match=r"'s' was moved in this run by map index 0 .* stream=\"…\{\{ … \}\}"):
        guard.check_alone("s", STORED, {**STORED, "map_index": 1, "rendered": "b"})


@pytest.mark.parametrize(
    "found",
    [
        {"map_index": 1},  # the list is in another order, after a clear
        {"rendered": "b"},  # a retry, of a template that holds the time
        {"map_index": 1, "rendered": "b", "run": "r2"},
        {"map_index": 1, "rendered": "b", "task": "u"},
        {"map_index": 1, "rendered": "b", "dag": "e"},
    ],
    ids=str,
)
def test_one_that_may_be_the_same_goes_on(found):
    guard.check_alone("s", STORED, {**STORED, **found})


@pytest.mark.parametrize("missing", STORED)
def test_what_a_watermark_does_not_tell_is_not_compared(missing):
    older = {name: value for name, value in STORED.items() if name != missing}
    guard.check_alone("s", older, {**STORED, "map_index": 1, "rendered": "b"})
