"""The api-server stops answering, for 10 s; for 70 s in the long form: all stores side by side."""

import contextlib
import time

import pytest

from tests.support.airflow_features import STORES
from tests.support.profile import LONG, SLOW_SECONDS

# With the start of Airflow, on a machine that others use too.
pytestmark = pytest.mark.timeout(SLOW_SECONDS)


@pytest.fixture(scope="module")
def frozen(real_airflow):
    """The deployment after a first run, which delivered the rows 1 to 100 of each stream."""
    for store in STORES:
        real_airflow.make_table(f"frozen_{store}", 100)
    real_airflow.client.unpause("frozen")
    run = start(real_airflow, 1)
    assert real_airflow.client.wait_run("frozen", run) == "success"
    assert all(real_airflow.ids(topic(store)) == list(range(1, 101)) for store in STORES)
    return real_airflow


def start(airflow, day):
    """Begin a run; watermarks in XComs need one with a logical date."""
    return airflow.client.trigger("frozen", logical_date=f"2026-11-{day:02}T00:00:00Z")


def topic(store):
    return f"real.frozen_{store}"


def held(airflow):
    """Hold every task at its start; gives a function that waits until all are there."""
    return airflow.gated(*(f"frozen.{store}" for store in STORES))


@contextlib.contextmanager
def stopped(airflow):
    """Stop the api-server; let it stand for a while once the context's work is done, then let it go on."""
    airflow.airflow.pause("api-server")
    try:
        yield
        time.sleep(70 if LONG else 10)  # what is tested is the time itself
    finally:
        airflow.airflow.resume("api-server")


def test_away_at_load_and_at_save_costs_neither_a_full_load_nor_a_row(frozen):
    insert(frozen, 101, 103)
    with contextlib.ExitStack() as stack, held(frozen) as wait:
        first = start(frozen, 2)
        wait()
        stack.enter_context(stopped(frozen))
        # All tasks read their watermarks now.
    frozen.client.wait_run("frozen", first, 600)

    insert(frozen, 104, 303)
    second = start(frozen, 3)
    frozen.client.wait(lambda: all(max(frozen.ids(topic(store))) > 150 for store in STORES), "the streams moving")
    with stopped(frozen):
        pass
    frozen.client.wait_run("frozen", second, 600)
    assert frozen.client.wait_run("frozen", start(frozen, 4)) == "success"

    nothing = {store: [] for store in STORES}
    found = {store: frozen.ids(topic(store)) for store in STORES}
    assert {store: sorted(set(range(1, 304)) - set(ids)) for store, ids in found.items()} == nothing, "rows are missing"
    again = {store: sorted(set(ids[100:]) & set(range(1, 101))) for store, ids in found.items()}
    assert again == nothing, "what was delivered before came again"
    event_ids = {store: len(set(frozen.event_ids(topic(store)))) for store in STORES}
    assert set(event_ids.values()) == {303}, "a repeat has an id of its own"


def insert(airflow, first, last):
    for store in STORES:
        airflow.insert(f"frozen_{store}", first, last)
