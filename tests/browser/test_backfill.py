"""Backfills of a stream from the form in Airflow's user interface, in a browser."""

import datetime as dt
import os
import signal
from collections import Counter

import pytest

from tests.browser.airflow_pages import BackfillForm, log_in
from tests.services.browser import page
from tests.support.profile import SLOW_SECONDS

# With the start of Airflow, on a machine that others use too.
pytestmark = pytest.mark.timeout(SLOW_SECONDS)

DAG, TABLE, TOPIC = "backfilled", "backfilled", "real.backfilled"
TODAY = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = [TODAY - dt.timedelta(days=back) for back in (4, 3, 2, 1)]
ROWS = 40
"""Of each day: day 0 has the ids 1 to 40, and so on."""


@pytest.fixture(scope="module")
def stream(real_airflow):
    """The deployment after a live run that failed at a message of 3 MB, and one by hand that went on behind it."""
    airflow, client = real_airflow, real_airflow.client
    airflow.make_table(TABLE)
    for number, day in enumerate(DAYS):
        airflow.insert(TABLE, number * ROWS + 1, (number + 1) * ROWS, f"{day:%Y-%m-%d} 10:00:00+00")
    # A retry fails in the same way; the run is red only after the last one.
    airflow.execute(f"UPDATE {TABLE} SET body = repeat('x', 3000000) WHERE id = 130")
    client.unpause(DAG)
    (red,) = client.wait(lambda: client.runs(DAG), "the scheduled run")
    assert client.wait_run(DAG, red["dag_run_id"]) == "failed"
    airflow.execute(f"UPDATE {TABLE} SET body = 'short' WHERE id = 130")
    assert client.wait_run(DAG, client.trigger(DAG)) == "success"
    return airflow


@pytest.fixture
def browser(stream):
    with page() as found:
        log_in(found, stream.client.url)
        yield found


def replayed(stream):
    """Ids of the messages that a backfill sent, with how often, and their event ids."""
    found = [one for one in stream.topics.read(TOPIC) if dict(one.headers).get("mode") == "replay"]
    return Counter(one.event["data"]["id"] for one in found), {one.event["id"] for one in found}


def ids_of(*days):
    return {number for day in days for number in range(day * ROWS + 1, (day + 1) * ROWS + 1)}


def wait_backfill(stream, number):
    client = stream.client
    client.wait(lambda: client.call("GET", f"/backfills/{number}")["completed_at"], "the backfill being complete", 300)


def test_missing_days_are_sent_again_although_a_task_is_killed_and_the_live_watermark_stays(
    stream, browser, screenshot
):
    client, mark = stream.client, stream.watermark(TABLE, TOPIC)
    form = BackfillForm(browser, client.url, DAG)
    form.fill(f"{DAYS[0]:%Y/%m/%d}", f"{DAYS[1]:%Y/%m/%d}", "Missing Runs", 2)
    screenshot("backfill-form")
    backfill = form.submit()
    pid = running_task(client)
    client.wait(lambda: len(replayed(stream)[0]) > 10, "the first day being sent")
    os.kill(pid, signal.SIGKILL)
    browser.goto(f"{client.url}/dags/{DAG}", wait_until="domcontentloaded")
    wait_backfill(stream, backfill["id"])
    browser.goto(f"{client.url}/dags/{DAG}/runs", wait_until="domcontentloaded")
    browser.get_by_text("Backfill").first.wait_for()
    screenshot("backfill-runs")

    sent, event_ids = replayed(stream)
    assert set(sent) == ids_of(0, 1)
    assert len(event_ids) == 2 * ROWS, "a repeat has an id of its own"
    assert max(sent.values()) <= 2
    assert stream.watermark(TABLE, TOPIC) == mark
    runs = [run for run in client.runs(DAG) if run["run_type"] == "backfill"]
    assert [run["state"] for run in runs] == ["success", "success"]
    tries = [task["try_number"] for run in runs for task in client.tasks(DAG, run["dag_run_id"])]
    assert sorted(tries) == [1, 2]


def test_all_runs_are_sent_again_the_red_live_run_too_and_the_live_watermark_stays(stream, browser, screenshot):
    client, mark = stream.client, stream.watermark(TABLE, TOPIC)
    before, _ = replayed(stream)
    form = BackfillForm(browser, client.url, DAG)
    form.fill(f"{DAYS[0]:%Y/%m/%d}", f"{DAYS[3]:%Y/%m/%d}", "All Runs", 4)
    form.at_once(4)
    backfill = form.submit()
    wait_backfill(stream, backfill["id"])

    sent, _ = replayed(stream)
    again = sent - before
    assert set(again) == ids_of(0, 1, 2, 3)
    assert set(again.values()) == {1}
    assert stream.watermark(TABLE, TOPIC) == mark
    states = {run["dag_run_id"]: (run["run_type"], run["state"]) for run in client.runs(DAG)}
    scheduled = [found for run_id, found in states.items() if run_id.startswith("scheduled__")]
    assert scheduled == [("backfill", "success")], "the red live run was taken over by the backfill"


def running_task(client):
    """The process of the task that runs."""

    def running():
        return [
            task["pid"]
            for run in client.runs(DAG)
            for task in client.tasks(DAG, run["dag_run_id"])
            if task["state"] == "running" and task["pid"]
        ]

    (pid,) = client.wait(running, "a task running")
    return pid
