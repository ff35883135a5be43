"""Which case fits a run, from nothing but what Airflow says of it."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.model import RunMode, Span, Window
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators._mode import LIVE, decide

NOVEMBER = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DONE = Span(("1",), ("9",))
WINDOW = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}


class Type(Enum):
    BACKFILL = "backfill"
    MANUAL = "manual"


def context(run_type="manual", conf=None, params=None, start=None, end=None, run_id="backfill__x"):
    run = SimpleNamespace(run_type=run_type, conf=conf, data_interval_start=start, data_interval_end=end, run_id=run_id)
    return {"dag_run": run, **({} if params is None else {"params": params})}


@pytest.mark.parametrize(
    "run_type",
    ["scheduled", "manual", Type.MANUAL, "asset_triggered", "asset_materialization", "operator_triggered", "new kind"],
)
@pytest.mark.parametrize("interval", [(None, None), (NOVEMBER, NOVEMBER), (NOVEMBER, NOVEMBER + dt.timedelta(1))])
def test_every_other_run_is_live_whatever_its_id_and_interval(run_type, interval):
    assert decide(context(run_type, start=interval[0], end=interval[1]), time_column=None) == LIVE


@pytest.mark.parametrize("run_type", ["backfill", Type.BACKFILL])
@pytest.mark.parametrize("column", [None, "created_at"])
def test_a_backfill_replays_its_interval_whatever_its_id(run_type, column):
    found = decide(
        context(run_type, start=NOVEMBER, end=NOVEMBER + dt.timedelta(1), run_id="scheduled__x"),
        time_column=column,
        done=DONE,
    )

    assert found == RunMode("replay", Window(column, "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"))


@pytest.mark.parametrize(
    "interval", [(None, None), (NOVEMBER, None), (NOVEMBER, NOVEMBER), (NOVEMBER, NOVEMBER - dt.timedelta(1))]
)
def test_a_backfill_that_cannot_know_its_interval_says_how_to_schedule_it(interval):
    with pytest.raises(ConfigurationError) as refused:
        decide(context("backfill", start=interval[0], end=interval[1]), time_column=None)

    for remedy in ("CronDataIntervalTimetable", "time_column=", '"replay"', "nothing was read"):
        assert remedy in str(refused.value)
    assert not refused.value.retry_helps


def test_what_once_succeeded_and_is_to_be_repeated_is_a_rerun():
    assert decide(context(), time_column=None, done=DONE) == RunMode("rerun", DONE)


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_a_replay_that_was_asked_for_comes_first(run_type):
    conf = {"other": 1, "replay": {**WINDOW, "topic": "t", "rows_per_second": 5}}
    found = decide(context(run_type, conf, start=NOVEMBER, end=NOVEMBER + dt.timedelta(9)), time_column="at", done=DONE)

    assert found == RunMode("replay", Window("at", WINDOW["from"], WINDOW["to"]), "t", 5)


def test_the_trigger_form_is_taken_and_the_configuration_comes_before_it():
    form = {"replay_from": "2026-11-05T00:00:00Z", "replay_to": "2026-11-06T00:00:00Z", "replay_topic": "t"}

    assert decide(context(params=form), time_column=None) == RunMode(
        "replay", Window(None, form["replay_from"], form["replay_to"]), "t"
    )
    assert decide(context(conf={"replay": WINDOW}, params=form), time_column=None) == RunMode(
        "replay", Window(None, WINDOW["from"], WINDOW["to"])
    )


@pytest.mark.parametrize(
    "form", [{}, {"replay_from": None, "replay_to": None}, {"replay_from": "", "replay_topic": "t"}]
)
def test_an_empty_trigger_form_asks_for_nothing(form):
    assert decide(context(params=form), time_column=None) == LIVE


def test_numbers_are_values_too():
    assert decide(context(conf={"replay": {"from": 5, "to": 9}}), time_column=None).what == Window(None, "5", "9")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("yesterday", "found a str"),
        ([1], "found a list"),
        ({}, "missing: from, to"),
        ({"from": "1"}, "missing: to"),
        ({"from": "1", "to": None}, "missing: to"),
        ({**WINDOW, "until": 1, "speed": 2}, "unknown: speed, until"),
        ({**WINDOW, "topic": ""}, "topic is not a string"),
        ({**WINDOW, "topic": 5}, "topic is not a string"),
        ({**WINDOW, "rows_per_second": 0}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": 0.99}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": float("nan")}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": float("inf")}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": 10**400}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": True}, "rows_per_second is not a finite number of 1 or more"),
        ({**WINDOW, "rows_per_second": "5"}, "rows_per_second is not a finite number of 1 or more"),
        ({"from": True, "to": False}, "not bool"),
        ({"from": {}, "to": "1"}, "not dict"),
    ],
)
def test_a_replay_that_is_asked_for_wrongly_is_an_error(asked, found):
    with pytest.raises(ConfigurationError, match="nothing was read") as refused:
        decide(context(conf={"replay": asked}), time_column=None)
    assert found in str(refused.value)


def test_half_a_trigger_form_is_an_error():
    with pytest.raises(ConfigurationError, match="missing: to"):
        decide(context(params={"replay_from": "2026-11-01T00:00:00Z"}), time_column=None)
