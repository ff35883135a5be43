"""A replay beside live runs, in a real scheduler."""

import pytest

from tests.support.deployment import span
from tests.support.profile import LONG, SLOW_SECONDS

# With the start of Airflow, on a machine that others use too.
pytestmark = pytest.mark.timeout(SLOW_SECONDS)

ROWS = 600 if LONG else 400
RATE = 10
WINDOW = {"from": "2026-11-01T00:00:00+00:00", "to": "2026-11-02T00:00:00+00:00", "rows_per_second": RATE}


def modes(airflow):
    """The ids on the topic, of live runs and of replays."""
    found = airflow.topics.read("real.overlapping")
    sent = [(dict(one.headers).get("mode", "live"), one.event["data"]["id"]) for one in found]
    return {mode: [number for kind, number in sent if kind == mode] for mode in ("live", "replay")}


def test_a_long_replay_and_three_live_runs_of_one_task_overlap(real_airflow):
    airflow, client = real_airflow, real_airflow.client
    airflow.make_table("overlapping", ROWS)
    client.unpause("overlapping")
    assert client.wait_run("overlapping", client.trigger("overlapping")) == "success"

    replay = client.trigger("overlapping", conf={"replay": WINDOW})
    client.wait(lambda: modes(airflow)["replay"], "the replay sending")
    live = []
    for number in range(1, 4):
        airflow.insert("overlapping", ROWS + number, ROWS + number)
        live.append(client.trigger("overlapping"))
        assert client.wait_run("overlapping", live[-1]) == "success"
    assert client.run("overlapping", replay)["state"] == "running", "the replay ended before the live runs did"
    assert client.wait_run("overlapping", replay) == "success"

    (task,) = client.tasks("overlapping", replay)
    began, ended = span(task)
    spans = [span(client.tasks("overlapping", run)[0]) for run in live]
    assert all(began < start < end < ended for start, end in spans)
    assert modes(airflow) == {"live": list(range(1, ROWS + 4)), "replay": list(range(1, ROWS + 1))}
    report = client.xcom("overlapping", replay, "publish")
    assert (report["mode"], report["rows"]) == ("replay", ROWS)
    last = client.xcom("overlapping", live[-1], "publish")
    assert airflow.watermark("overlapping", "real.overlapping") == last["watermark_to"]
