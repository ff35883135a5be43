"""States of a connector with its tasks, traces cut to their causes, and when a new config counts as running."""

import pytest

from airflow_legacy_events.connect.applying import Applying, Look, holds_values, marks_of
from airflow_legacy_events.connect.state import causes, failure_text, read_status
from airflow_legacy_events.core.errors import ConnectError, ConnectorFailedError

TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded\n\tat a.b.C(D.java:1)\n"
    "Caused by: java.lang.IllegalStateException: password hunter22 is wrong\n\tat e.f.G(H.java:2)\n\t... 12 more\n"
)


def status(connector, *tasks, trace=""):
    parts = [{"id": number, "state": state, "worker_id": "w:1", "trace": trace} for number, state in enumerate(tasks)]
    return read_status(
        {"name": "c", "connector": {"state": connector, "worker_id": "w:1"}, "tasks": parts, "type": "source"}
    )


@pytest.mark.parametrize(
    ("found", "running", "paused", "stopped"),
    [
        (status("RUNNING", "RUNNING"), True, False, False),
        (status("RUNNING"), False, False, False),
        (status("RUNNING", "RUNNING", "UNASSIGNED"), False, False, False),
        (status("RUNNING", "FAILED"), False, False, False),
        (status("PAUSED", "RUNNING"), False, False, False),
        (status("PAUSED", "PAUSED"), False, True, False),
        (status("PAUSED"), False, True, False),
        (status("STOPPED", "RUNNING"), False, False, False),
        (status("STOPPED"), False, False, True),
    ],
)
def test_a_state_is_that_of_the_tasks_too(found, running, paused, stopped):
    assert [found.holds(one) for one in ("running", "paused", "stopped")] == [running, paused, stopped]
    assert found.holds("running", tasks_at_least=2) is False


def test_a_trace_is_cut_to_its_causes_without_secrets():
    assert causes(TRACE, {"hunter22"}) == (
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded; caused by"
        " java.lang.IllegalStateException: password *** is wrong"
    )
    text = failure_text(status("RUNNING", "FAILED", "FAILED", trace=TRACE + "x" * 9_000).failed)
    assert len(text) <= 2_000
    assert "task 0 FAILED on worker w:1" in text
    assert "task 1 FAILED on worker w:1" in text


@pytest.mark.parametrize(
    ("config", "task", "changed", "expected"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2", "task.class": "T"}, ["b"], True),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "1"}, ["b"], False),
        ({"a": "1", "b": "2"}, {"a": "1"}, ["b"], False),
        ({"a": "1"}, {"a": "1", "b": "1"}, ["b"], False),
        ({"a": "1", "b": "2"}, {"own": "x"}, ["b"], True),
        ({"a": "1", "p": "***"}, {"a": "1", "p": "real"}, [], True),
    ],
)
def test_a_config_runs_once_the_tasks_hold_it(config, task, changed, expected):
    assert holds_values(config, [task], changed) is expected
    assert holds_values(config, [], changed) is False


OLD, NEW = {"a": "1"}, {"a": "2"}


def test_running_counts_only_behind_the_new_values_and_for_long_enough():
    applying = Applying("c", ["a"], stable_for=10, declared=NEW)
    runs = status("RUNNING", "RUNNING")

    assert not applying.done(Look(0, None, None, None))
    assert not applying.done(Look(1, runs, OLD, [OLD]))
    assert not applying.done(Look(20, runs, NEW, [OLD]))
    assert not applying.done(Look(21, runs, NEW, [NEW]))
    assert not applying.done(Look(30, status("UNASSIGNED", "RUNNING"), NEW, [NEW]))
    assert not applying.done(Look(31, runs, NEW, [NEW]))
    assert not applying.done(Look(40, runs, NEW, [NEW]))
    assert applying.done(Look(41, runs, NEW, [NEW]))


def test_another_hand_is_noticed_once_the_new_values_were_there():
    applying = Applying("c", ["a"], stable_for=0, declared=NEW)
    assert not applying.done(Look(1, status("RUNNING"), OLD, []))
    assert not applying.done(Look(2, status("RUNNING"), NEW, []))
    with pytest.raises(ConnectError, match="got another config"):
        applying.done(Look(3, status("RUNNING", "RUNNING"), OLD, [OLD]))


def test_a_failure_of_before_counts_only_when_it_stays():
    failed, other = status("RUNNING", "FAILED", trace="old"), status("RUNNING", "FAILED", trace="new")
    applying = Applying("c", ["a"], stable_for=0, before=marks_of(failed))

    assert not applying.done(Look(1, failed, OLD, [OLD]))
    assert not applying.done(Look(2, failed, NEW, [NEW]))
    with pytest.raises(ConnectorFailedError):
        applying.done(Look(3, other, NEW, [NEW]))
    with pytest.raises(ConnectorFailedError):
        applying.done(Look(8, failed, NEW, [NEW]))


@pytest.mark.parametrize("state", ["PAUSED", "STOPPED"])
def test_a_connector_that_rests_has_its_config_at_once(state):
    assert Applying("c", ["a"], stable_for=10).done(Look(1, status(state), NEW, []))
    assert not Applying("c", ["a"], stable_for=10).done(Look(1, status(state, "RUNNING"), NEW, [OLD]))
