"""Live runs in a real Airflow: every type of run, streams beside each other, clears, an api-server that is away."""

import datetime as dt
import time

import psycopg
import pytest

from tests.support.airflow_features import BY_AN_OPERATOR, FIRST_MEETINGS, TOGETHER
from tests.support.deployment import moment, overlap, span
from tests.support.profile import LONG, SLOW_SECONDS

# With the start of Airflow, on a machine that others use too.
pytestmark = pytest.mark.timeout(SLOW_SECONDS)

HELD_SECONDS = 30 if LONG else 0
STREAMS = ("four_1", "four_2", "four_3", "four_4")


@pytest.fixture
def airflow(real_airflow):
    return real_airflow


def publish_report(airflow, dag_id, run_id):
    assert airflow.client.wait_run(dag_id, run_id) == "success"
    return airflow.client.xcom(dag_id, run_id, "publish")


def test_every_type_of_run_goes_on_from_the_watermark(airflow):
    client = airflow.client
    airflow.make_table("cells", 3)
    client.unpause("cells", "cells_caller")
    reports = {}

    reports["manual"] = publish_report(airflow, "cells", client.trigger("cells"))
    airflow.insert("cells", 4, 5)
    old = client.trigger("cells", logical_date="2026-11-05T06:00:00Z")
    reports["manual with a logical date"] = publish_report(airflow, "cells", old)
    airflow.insert("cells", 6, 6)
    reports["asset_triggered"] = next_run(airflow, lambda: materialise(client, "cells"), "asset_triggered")
    airflow.insert("cells", 7, 8)
    reports["operator_triggered"] = next_run(airflow, lambda: client.trigger("cells_caller"), BY_AN_OPERATOR)

    assert {name: (report["mode"], report["rows"]) for name, report in reports.items()} == {
        "manual": ("live", 3),
        "manual with a logical date": ("live", 2),
        "asset_triggered": ("live", 1),
        "operator_triggered": ("live", 2),
    }
    assert airflow.ids("real.cells") == list(range(1, 9))
    assert airflow.watermark("cells", "real.cells") == reports["operator_triggered"]["watermark_to"]


def test_a_scheduled_run_delivers_up_to_now_whatever_its_interval(airflow):
    client = airflow.client
    client.unpause("cells_daily")
    (run,) = client.wait(
        lambda: [one for one in client.runs("cells_daily") if one["run_type"] == "scheduled"], "a scheduled run"
    )
    report = publish_report(airflow, "cells_daily", run["dag_run_id"])

    assert run["data_interval_start"] < run["data_interval_end"]
    assert (report["mode"], report["rows"]) == ("live", 8)
    assert airflow.ids("real.cells_daily") == list(range(1, 9))


def next_run(airflow, start, run_type):
    """The report of the run of `cells` that `start` brings about."""
    known = {run["dag_run_id"] for run in airflow.client.runs("cells")}
    start()
    (run,) = airflow.client.wait(
        lambda: [one for one in airflow.client.runs("cells") if one["dag_run_id"] not in known], f"a run {run_type}"
    )
    assert run["run_type"] == run_type
    return publish_report(airflow, "cells", run["dag_run_id"])


def materialise(client, name):
    found = client.call("GET", "/assets", name_pattern=name)["assets"]
    (asset,) = [one for one in found if one["name"] == name]
    client.call("POST", "/assets/events", {"asset_id": asset["id"], "extra": {}})


def test_mapped_streams_run_at_once_and_a_second_run_of_one_stream_is_skipped_with_the_holders_name(airflow):
    client = airflow.client
    for table in (*STREAMS, "busy"):
        airflow.make_table(table, 250)
    client.unpause("four", "busy")
    four = client.trigger("four")
    first = client.trigger("busy")
    client.wait(lambda: airflow.ids("real.busy"), "the first run publishing")
    with airflow.held("busy"):
        second = client.trigger("busy")
        client.wait_run("busy", second)
    assert client.states("busy", second) == {"publish": "skipped"}
    log = airflow.airflow.task_log("busy", second, "publish")
    assert first in log
    assert client.wait_run("busy", first) == "success"
    assert client.wait_run("four", four) == "success", airflow.airflow.story(four)
    assert overlap([span(task) for task in client.tasks("four", four)])
    assert len(client.tasks("four", four)) == 4
    assert sorted(airflow.ids("real.four")) == sorted(list(range(1, 251)) * 4)
    assert airflow.ids("real.busy") == list(range(1, 251))


def test_streams_that_end_their_first_run_on_a_topic_at_one_moment_all_succeed(airflow):
    """Each tells Airflow of an asset that it does not know yet."""
    client = airflow.client
    for table in TOGETHER:
        airflow.make_table(table, 1)
    for number in range(FIRST_MEETINGS):
        dag = f"together_{number}"
        client.unpause(dag)
        with airflow.gated(f"{dag}.publish", instances=len(TOGETHER)) as wait:
            run = client.trigger(dag)
            wait()
        assert client.wait_run(dag, run) == "success", airflow.airflow.story(run)
        assert airflow.ids(f"real.{dag}") == [1] * len(TOGETHER)


def test_clearing_a_neighbour_publishes_nothing(airflow):
    client = airflow.client
    airflow.make_table("neighbour", 3)
    client.unpause("neighbour")
    run = client.trigger("neighbour")
    assert client.wait_run("neighbour", run) == "success"
    mark = airflow.watermark("neighbour", "real.neighbour")

    client.clear("neighbour", run, "other")
    client.wait(lambda: client.run("neighbour", run)["state"] != "success", "the clear being seen", 60)
    assert client.wait_run("neighbour", run) == "success"
    tries = {task["task_id"]: task["try_number"] for task in client.tasks("neighbour", run)}
    assert tries == {"publish": 1, "other": 2, "behind": 1}
    assert airflow.ids("real.neighbour") == [1, 2, 3]
    assert airflow.watermark("neighbour", "real.neighbour") == mark


def test_clearing_the_red_task_resumes_where_it_stood(airflow):
    client = airflow.client
    airflow.make_table("red", 35)
    airflow.execute("UPDATE red SET body = repeat('x', 3000000) WHERE id = 25")
    client.unpause("red")
    run = client.trigger("red")
    assert client.wait_run("red", run) == "failed"
    delivered = airflow.ids("real.red")
    stood = client.xcom("red", run, "publish", key="report")["watermark_to"][-1]
    assert set(range(1, int(stood) + 1)) <= set(delivered)
    assert 25 not in delivered

    airflow.execute("UPDATE red SET body = 'short' WHERE id = 25")
    client.clear("red", run, "publish")
    client.wait(lambda: client.run("red", run)["state"] != "failed", "the clear being seen", 60)
    assert client.wait_run("red", run) == "success"
    assert airflow.ids("real.red") == [*delivered, *range(int(stood) + 1, 36)]


def test_a_row_starts_a_run_and_the_triggerer_may_die_meanwhile(airflow, record_property):
    """Insert to start of the run, behind an AssetWatcher that looks every second."""
    airflow.client.unpause("watched")
    latency(airflow, 1)  # the first one also waits until Airflow has parsed the DAG again and started the trigger
    seconds = [latency(airflow, number) for number in range(2, 42 if LONG else 6)]
    airflow.airflow.restart("triggerer")
    latency(airflow, len(seconds) + 2)

    middle, high = sorted(seconds)[len(seconds) // 2], sorted(seconds)[int(len(seconds) * 0.95)]
    record_property("insert_to_run_start_median_seconds", round(middle, 2))
    record_property("insert_to_run_start_p95_seconds", round(high, 2))
    print(f"insert to run start: median {middle:.2f} s, p95 {high:.2f} s, of {len(seconds)}")
    assert airflow.ids("real.watched") == list(range(1, len(seconds) + 3))


def test_a_writer_of_a_lower_value_starts_no_run_and_its_commit_starts_one(airflow):
    """Behind an AssetWatcher; the writer holds its transaction for three looks, in the long form for half a minute."""
    client = airflow.client
    client.unpause("watched")
    latency(airflow, 1_000)
    before = len(client.runs("watched"))
    with psycopg.connect(airflow.postgres.dsn("real_airflow_legacy")) as writer:
        writer.execute("INSERT INTO watched VALUES (1001, 'late', clock_timestamp())")
        airflow.insert("watched", 1_002, 1_002)
        begun, seen = time.monotonic(), set()
        client.wait(lambda: len(look_of(airflow, seen)) > 3 and time.monotonic() - begun >= HELD_SECONDS, "looks", 120)
        assert len(client.runs("watched")) == before
    client.wait(lambda: {1_001, 1_002} <= set(airflow.ids("real.watched")), "both rows being delivered")
    client.wait(lambda: all(run["state"] == "success" for run in client.runs("watched")), "the run ending")
    seen.clear()
    client.wait(lambda: len(look_of(airflow, seen)) > 3, "further looks")
    assert len(client.runs("watched")) == before + 1


def look_of(airflow, seen):
    """Note when the triggerer looked last."""
    asked = "SELECT query_start FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    seen.update(airflow.execute(f"{asked} AND application_name LIKE 'legacy-events%'"))
    return seen


def latency(airflow, number):
    """Insert a row, wait for the run that delivers it; the seconds until that run started."""
    before = {run["dag_run_id"] for run in airflow.client.runs("watched")}
    inserted = dt.datetime.now(dt.UTC)
    airflow.insert("watched", number, number)
    airflow.client.wait(lambda: number in airflow.ids("real.watched"), f"row {number} being delivered")
    airflow.client.wait(
        lambda: all(run["state"] == "success" for run in airflow.client.runs("watched")), "the runs ending"
    )
    started = [moment(run["start_date"]) for run in airflow.client.runs("watched") if run["dag_run_id"] not in before]
    return (min(started) - inserted).total_seconds()
