"""Connections made and tested where people make them, used by a run; and the errors that people meet first."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.browser.airflow_pages import Connections, log_in, task_page
from tests.services.browser import page
from tests.support.profile import SLOW_SECONDS

# With the start of Airflow, on a machine that others use too.
pytestmark = pytest.mark.timeout(SLOW_SECONDS)

DAG = "doors"
ERRORS = {
    "missing_connection": "Add it with",
    "missing_table": "similar: ",
    "missing_topic": "topic_partitions",
}


@pytest.fixture(scope="module")
def address(real_airflow):
    real_airflow.make_table("doors", 3)
    parts = conninfo_to_dict(real_airflow.postgres.dsn("real_airflow_legacy"))
    return parts, f"{parts['host']}:{parts['port']}/real_airflow_legacy"


@pytest.fixture
def browser(real_airflow):
    with page() as found:
        log_in(found, real_airflow.client.url)
        yield found


def test_a_connection_is_made_in_the_form_tested_and_used(real_airflow, browser, address, screenshot):
    parts, url = address
    client, form = real_airflow.client, Connections(browser, real_airflow.client.url)
    form.add("made_by_hand", "Legacy database", sqlalchemy_url=f"postgresql://{url}", login=parts["user"], port="0")

    answer = form.test("made_by_hand")
    screenshot("connection-tested")

    assert answer["status"], answer
    assert answer["message"].startswith("PostgreSQL ")
    assert "role 'postgres'" in answer["message"]
    client.unpause(DAG)
    run = client.trigger(DAG)
    client.wait_run(DAG, run)
    story = real_airflow.airflow.task_log(DAG, run, "publish")[-3000:]
    assert client.states(DAG, run) == {"publish": "success", **dict.fromkeys(ERRORS, "failed")}, story
    assert set(real_airflow.ids("real.doors.publish")) == {1, 2, 3}


@pytest.mark.parametrize("task", ERRORS)
def test_the_commonest_errors_are_read_without_moving_the_page_sideways(real_airflow, browser, task, screenshot):
    client = real_airflow.client
    client.wait(lambda: client.runs(DAG), "the run of the test before")
    run = client.runs(DAG)[0]["dag_run_id"]
    shown = task_page(browser, client.url, DAG, run, task)
    screenshot(f"error-{task}")

    assert ERRORS[task] in shown.text
    assert shown.right <= shown.edge
