"""What a live run notes of where it began, and what of that a later try may use."""

import pytest

from airflow_legacy_events.core.model import Delivered, Span, Watermark
from airflow_legacy_events.core.report import Report
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
    return WindowRecord({"task_state_store": state}, stream="s", repeats=repeats, columns=columns, begins_now=False)


def at(*values):
    return Watermark(values, None, {})


def test_a_retry_keeps_where_the_first_try_began():
    state = State()
    record(state).loaded(at("1"))
    record(state).loaded(at("5"))

    assert state[KEY]["from"] == ["1"]


def test_a_retry_by_other_columns_begins_where_it_begins_itself():
    state = State()
    record(state).loaded(at("1"))
    record(state, columns=("seq",)).loaded(at("70"))

    assert (state[KEY]["columns"], state[KEY]["from"]) == (["seq"], ["70"])


def test_a_state_that_cannot_be_read_fails_only_a_run_that_may_be_repeated():
    record(Unreadable(), repeats=False).loaded(at("1"))

    with pytest.raises(WatermarkError, match="could not be reached"):
        record(Unreadable()).loaded(at("1"))


def delivered(events):
    return Delivered(rows=events, events=events)


def saving(state, events):
    """A try that delivers so many events, and saves."""
    made = record(state)
    made.loaded(None)
    made.saving(at("9"), delivered(events))
    return made


def test_what_a_try_delivered_before_it_was_killed_is_known_to_the_next():
    state = State()
    saving(state, 3)

    again = saving(state, 0)
    assert (again.before.rows, again.before.events) == (3, 3)


def test_the_counts_of_all_failed_tries_are_added_up():
    state = State()
    for events in (3, 4):
        saving(state, events).failed(Report("s", rows=events + 1, events=events + 1))

    assert saving(state, 0).before.events == 9


def test_what_was_told_once_is_not_told_again():
    state = State()
    saving(state, 3).end(["9"])

    assert saving(state, 0).before.events == 0


def test_a_save_costs_one_write_of_the_state_in_a_run():
    state = State()
    made = record(state)
    made.loaded(None)
    made.saving(at("9"), delivered(3))
    state.clear()
    made.saving(at("9"), delivered(4))

    assert state == {}


class Instance:
    dag_id, task_id, run_id = "d", "t", "r1"


@pytest.mark.parametrize(
    ("values", "run", "events"), [(("9",), "r1", 1), (("9",), "r0", 0), (None, "r1", 0), ((), "r1", 0)]
)
def test_before_airflow_3_3_a_watermark_of_this_very_run_tells_of_an_earlier_try(values, run, events):
    made = WindowRecord({"ti": Instance()}, stream="s", repeats=False, columns=("id",), begins_now=False)
    made.loaded(Watermark(values, None, {"dag": "d", "task": "t", "run": run}))
    assert made.before.events == events


def by_hand(*values, **facts):
    return Watermark(values, None, {"person": "ann", **facts})


@pytest.mark.parametrize("mark", [by_hand("2", included=True), None, Watermark(None, None, {})])
def test_a_watermark_that_was_moved_between_two_tries_is_where_the_run_began_too(mark):
    state = State()
    record(state).loaded(at("5"))
    record(state).loaded(mark)
    ended = record(state)
    ended.loaded(at("7"))
    ended.end(["9"])

    moved = (None, False) if mark is None or mark.values is None else (("2",), True)
    assert record(state).done() == Span(("5",), ("9",), also=(moved,))


def test_a_run_that_begins_anew_is_repeated_from_the_beginning():
    state = State()
    record(state).loaded(at("5"))
    made = record(state)
    made.loaded(by_hand("2"))
    made.saving(Watermark(("1",), None, {"reset": {"query": "a", "values": ["2"]}}), delivered(1))
    record(state).loaded(at("1"))
    made = record(state)
    made.loaded(at("3"))
    made.end(["9"])

    assert record(state).done() == Span(None, ("9",))


def test_a_try_that_only_marked_the_end_is_no_beginning_of_the_rest():
    state = State()
    for mark in (at("5"), None):
        made = WindowRecord({"task_state_store": state}, stream="s", repeats=True, columns=("id",), begins_now=True)
        made.loaded(mark)
    made.end(["9"])

    assert record(state).done() == Span(("5",), ("9",))
