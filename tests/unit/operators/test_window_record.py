"""What a live run notes of where it began, and what of that a later try may use."""

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.operators._window_record import KEY, WindowRecord


class State(dict):
    """The state of a task instance."""

    def set(self, key, value, *, retention):
        self[key] = value


class Unreadable(State):
    """One whose server answers no question."""

    def get(self, key):
        raise RuntimeError("the API server is away")


def record(state, columns=("id",), *, repeats=True):
    return WindowRecord({"task_state_store": state}, stream="s", repeats=repeats, columns=columns, first_run="all")


def at(*values):
    return Watermark(values, None, {})


def test_a_retry_keeps_where_the_first_try_began():
    state = State()
    record(state).begin(at("1"))
    record(state).begin(at("5"))

    assert state[KEY]["from"] == ["1"]


def test_a_retry_by_other_columns_begins_where_it_begins_itself():
    state = State()
    record(state).begin(at("1"))
    record(state, columns=("seq",)).begin(at("70"))

    assert (state[KEY]["columns"], state[KEY]["from"]) == (["seq"], ["70"])


def test_a_state_that_cannot_be_read_fails_only_a_run_that_may_be_repeated():
    record(Unreadable(), repeats=False).begin(at("1"))

    with pytest.raises(WatermarkError, match="could not be reached"):
        record(Unreadable()).begin(at("1"))
