"""The progress of a replay in the state of its task instance."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.task_state import TaskStateWatermarkStore

STREAM = "crm.orders@t#r1"
FIRST, SECOND = Watermark(("1",), None, {"run": "r1"}), Watermark(("2",), None, {"run": "r1"})


class State(dict):
    """As Airflow 3.3 hands it to a task; it may lose the answer to a write."""

    loses_answers = False

    def set(self, key, value, *, retention=None):
        self[key], self.retention = value, retention
        if self.loses_answers:
            raise RuntimeError("the API server did not answer in time")


def test_it_outlives_the_days_after_which_other_state_expires():
    state = State()
    TaskStateWatermarkStore(state).save(STREAM, FIRST, expected=None)

    assert state.retention == dt.timedelta.max


def test_a_save_whose_answer_was_lost_may_be_made_again():
    state = State()
    state.loses_answers = True
    store = TaskStateWatermarkStore(state)
    for mark, before in ((FIRST, None), (SECOND, FIRST)):
        with pytest.raises(WatermarkError, match="could not be written"):
            store.save(STREAM, mark, expected=before)
        state.loses_answers = False
        store.save(STREAM, mark, expected=before)
        state.loses_answers = True

    assert store.load(STREAM) == SECOND
