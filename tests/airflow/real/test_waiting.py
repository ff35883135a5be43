"""Those who wait in a real Airflow: many share one session of the source, and a notification wakes one at once."""

import time

import psutil
import pytest

from tests.support.profile import LONG, SLOW_SECONDS

WAITING, ROWS = (200, 1_000_000) if LONG else (3, 100)
WATCHED_SECONDS = 180
START_SECONDS = 1_800 if LONG else 180

pytestmark = pytest.mark.timeout(SLOW_SECONDS)


def test_many_who_wait_share_one_session_and_all_are_told(real_airflow, record_property):
    client = real_airflow.client
    real_airflow.make_table("waiting", ROWS)
    client.unpause("waiting")
    run = client.trigger("waiting")
    client.wait(lambda: count(client, run, "deferred") == WAITING, "all of them waiting", START_SECONDS)
    (session,) = client.wait(lambda: one_session(real_airflow), "one session being left")

    if LONG:  # the server is one of this machine
        measure(real_airflow, session, record_property)

    assert one_session(real_airflow) == [session]
    real_airflow.insert("waiting", ROWS + 1, ROWS + 1)
    assert client.wait_run("waiting", run, START_SECONDS) == "success"
    assert count(client, run, "success") == WAITING + 1


def test_a_notification_starts_a_drain_and_what_comes_meanwhile_is_drained_by_it_or_the_next(real_airflow):
    """Behind the other test, which counts sessions; the trigger looks every hour."""
    client = real_airflow.client
    real_airflow.execute("CREATE TABLE drained (id bigint PRIMARY KEY, aggregateid text, type text, payload text)")
    client.unpause("drained")
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    client.wait(lambda: real_airflow.execute(listening)[0][0], "the triggerer listening", START_SECONDS)

    notify(real_airflow, 1)
    client.wait(lambda: client.runs("drained"), "the first run", START_SECONDS)
    notify(real_airflow, 2)
    client.wait(lambda: keys(real_airflow) == ["1", "2"], "both rows being delivered", START_SECONDS)
    assert real_airflow.execute(listening) == [(1,)]


def notify(airflow, number):
    """Insert a row of an outbox as an application does."""
    row = f"INSERT INTO drained VALUES ({number}, '{number}', 'Done', '{{}}')"
    airflow.execute(f"BEGIN; {row}; SELECT pg_notify('drained', ''); COMMIT")


def keys(airflow):
    """The keys on the topic; none where there is no topic yet."""
    if "real.drained" not in airflow.topics.kafka.admin.list_topics(timeout=10).topics:
        return []
    return [one.key for one in airflow.topics.read("real.drained")]


def count(client, run, state):
    """How many tasks of the run are in a state."""
    found = client.call("GET", f"/dags/waiting/dagRuns/{run}/taskInstances", state=state, limit=1)
    return found["total_entries"]


def one_session(airflow):
    """The process that serves the source's only session, as a list; none while there are more, or only a task's."""
    older_than_a_tasks = "backend_start < now() - interval '5 seconds'"
    asked = f"SELECT pid, {older_than_a_tasks} FROM pg_stat_activity WHERE datname = current_database()"
    found = airflow.execute(f"{asked} AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
    return [pid for pid, old in found if old] if len(found) == 1 else []


def measure(airflow, session, record_property):
    """What the looks of some minutes cost the source."""
    served = psutil.Process(session)
    before, looked, start = served.cpu_times(), committed(airflow), time.monotonic()
    airflow.client.wait(lambda: time.monotonic() - start > WATCHED_SECONDS, "the looks", 2 * WATCHED_SECONDS)
    seconds, after, looks = time.monotonic() - start, served.cpu_times(), committed(airflow) - looked
    cpu = after.user + after.system - before.user - before.system
    share, milliseconds = cpu / seconds * 100, cpu / looks * 1_000
    record_property("source_cpu_percent_of_a_core", round(share, 3))
    record_property("source_cpu_ms_per_transaction", round(milliseconds, 3))
    print(f"{WAITING} who wait: {share:.3f} % of a core, {looks} transactions of {milliseconds:.2f} ms CPU")


def committed(airflow):
    """Transactions of the source so far; its own sessions report them after a moment."""
    asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'real_airflow_legacy'"
    return next(iter(airflow.postgres.execute(asked)))[0]
