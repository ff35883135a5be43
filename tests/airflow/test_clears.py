"""What a task does that is cleared: it goes on, or sends its part again."""

from __future__ import annotations

import functools

import pytest

from tests.airflow import metadata
from tests.airflow.runs import at, ids, one_task, progress, report, watermark


@pytest.fixture
def dag(topic):
    """Returns a function that makes a DAG of one task on the topic."""
    return functools.partial(one_task, topic)


def test_a_cleared_run_resumes_the_live_stream(shop, broker, dag, topic):
    made = dag()
    first = made.run("scheduled", logical_date=at(1), interval=(at(1), at(2)))
    shop.execute("INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-03 08:00:00')")

    again = made.clear(first)

    assert report(again)["mode"] == "live"
    assert ids(broker.read(topic)) == [1, 2, 3, 4]


@pytest.mark.airflow33
def test_a_cleared_run_repeats_what_it_sent_where_that_was_asked_for(shop, broker, dag, topic):
    made = dag(on_clear="repeat")
    first = made.run()
    shop.execute("INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-03 08:00:00')")
    second = made.run()
    before = watermark(topic)
    shop.execute("INSERT INTO orders VALUES (5, 1, 'new', NULL, '2026-11-04 08:00:00')")

    one, two = made.clear(second), made.clear(first)

    messages = broker.read(topic)
    assert ids(messages) == [1, 2, 3, 4, 4, 1, 2, 3]
    assert [report(run)["mode"] for run in (one, two)] == ["rerun", "rerun"]
    assert [one.event["id"] for one in messages[5:]] == [one.event["id"] for one in messages[:3]]
    assert {dict(one.headers).get("mode") for one in messages[4:]} == {"rerun"}
    assert watermark(topic) == before
    assert progress(topic) == []


@pytest.mark.airflow33
def test_a_failed_run_that_is_cleared_is_live_also_where_repeats_are_asked_for(shop, broker, dag, topic):
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    made = dag(on_clear="repeat")
    failed = made.run()
    shop.execute("ALTER TABLE hidden RENAME TO orders")

    again = made.clear(failed)

    assert (metadata.states(again), report(again)["mode"]) == ({"publish": "success"}, "live")
    assert ids(broker.read(topic)) == [1, 2, 3]
