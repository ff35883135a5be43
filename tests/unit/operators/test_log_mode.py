"""What a run of a change log does, from nothing but what Airflow says of it."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators._log_mode import decide_log
from airflow_legacy_events.params import replay_params, snapshot_params

NOVEMBER = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ORDERS = RunMode(snapshot=("public.orders",))


def context(run_type="manual", conf=None, params=None, declared=()):
    interval = {"data_interval_start": NOVEMBER, "data_interval_end": NOVEMBER + dt.timedelta(1)}
    run = SimpleNamespace(run_type=run_type, conf=conf, run_id="r", **interval)
    return {"dag_run": run, "params": params or {}, "dag": SimpleNamespace(params=dict.fromkeys(declared))}


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered", "new kind"])
@pytest.mark.parametrize("conf", [None, {}, {"snapshot": None}, {"snapshot": []}, {"reason": "month end"}])
def test_every_run_is_live_whatever_its_interval(run_type, conf):
    assert decide_log(context(run_type, conf)) == RunMode()


def test_tables_may_be_read_anew():
    conf = {"snapshot": ["public.orders", "sales.items", "public.orders"]}
    assert decide_log(context(conf=conf)) == RunMode(snapshot=("public.orders", "sales.items"))


def test_the_trigger_form_fills_in_the_same_and_the_configuration_comes_before_it():
    form = dict.fromkeys(snapshot_params())
    assert decide_log(context(params=form, declared=form)) == RunMode()
    assert decide_log(context(params={"snapshot": ["public.orders"]}, declared=form)) == ORDERS
    found = context(conf={"snapshot": ["public.orders"]}, params={"snapshot": ["a.b"]}, declared=form)
    assert decide_log(found) == ORDERS


def test_parameters_of_the_dag_may_stand_beside_it():
    conf = {"snapshot": ["public.orders"], "tenant": "acme"}
    assert decide_log(context(conf=conf, declared=("tenant",))) == ORDERS


@pytest.mark.parametrize(
    "wrong",
    [
        context("backfill"),
        context(conf={"replay": {"from": "1", "to": "2"}}),
        context(conf={"replay": "yesterday"}),
        context(params={"replay_from": "2026-11-01T00:00:00Z"}, declared=replay_params()),
    ],
)
def test_a_log_is_not_replayed(wrong):
    with pytest.raises(ConfigurationError, match="a change log can't be replayed; nothing was read") as refused:
        decide_log(wrong)
    for remedy in ('{"snapshot": ["schema.table"]}', "IncrementalQueryOperator"):
        assert remedy in str(refused.value)
    assert not refused.value.retry_helps


@pytest.mark.parametrize(
    ("conf", "found"),
    [
        ("yesterday", "the configuration is a str"),
        ({"snapshot": "public.orders"}, "found a str"),
        ({"snapshot": {"public.orders": True}}, "found a dict"),
        ({"snapshot": [1]}, "not all are strings"),
        ({"snapshot": ["orders"]}, "name the schema too, such as 'public.orders'"),
        ({"snapshot": ["sales.*"]}, "which is no name of one table"),
        ({"snapshot": ["public.orders"], "where": "id > 5"}, "unknown: where"),
        ({"snapshots": ["public.orders"]}, "unknown: snapshots"),
        ({"Snapshot": ["public.orders"]}, "unknown: Snapshot"),
    ],
)
def test_a_snapshot_that_is_asked_for_wrongly_is_an_error(conf, found):
    with pytest.raises(ConfigurationError) as refused:
        decide_log(context(conf=conf))
    assert found in str(refused.value)
