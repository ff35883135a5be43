"""What a task's log says where people look for it: at its beginning, and at its end."""

from __future__ import annotations

import logging

import pytest

from tests.airflow.runs import at, ids, one_task, report
from tests.support.messages import one_line


@pytest.fixture
def said(caplog):
    """Returns a function that gives the lines of this package since the last call."""
    caplog.set_level(logging.INFO)

    def said():
        found = [one.getMessage() for one in caplog.records if one.name.startswith("airflow_legacy_events")]
        caplog.clear()
        return found

    return said


def test_a_cleared_success_says_that_nothing_is_sent_again_and_how_it_can_be(shop, broker, topic, said):
    dag = one_task(topic)
    first = dag.run("scheduled", logical_date=at(1), interval=(at(1), at(2)))
    assert not [line for line in said() if "cleared" in line]

    dag.clear(first)

    (line,) = [line for line in said() if "cleared" in line]
    assert "nothing that it sent is sent again" in line
    assert '{"replay": {"from": T, "to": T}}' in line
    assert len(ids(broker.read(topic))) == 3


def test_a_failure_that_is_cleared_and_had_delivered_nothing_says_nothing_of_it(shop, broker, topic, said):
    dag = one_task(topic)
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    failed = dag.run()
    shop.execute("ALTER TABLE hidden RENAME TO orders")

    dag.clear(failed)

    assert not [line for line in said() if "cleared" in line]
    assert len(ids(broker.read(topic))) == 3


@pytest.mark.airflow33
def test_a_whole_load_that_is_cleared_is_sent_again_and_nothing_else_is_said(shop, broker, topic, said):
    dag = one_task(topic, watermark_columns=[])
    first = dag.run()

    dag.clear(first)

    assert not [line for line in said() if "cleared" in line]
    assert len(ids(broker.read(topic))) == 6


def test_a_replay_names_its_window_first_and_what_it_can_say_of_completeness_once(shop, broker, topic, said):
    window = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T12:00:00Z"}

    run = one_task(topic).run(conf={"replay": window})

    lines = said()
    shown = f"[{window['from']}, {window['to']})"
    assert lines[0] == f"legacy_shop.orders@{topic}: replay of the window {shown}, to topic {topic}"
    assert sum("best_effort" in line for line in lines) == 1
    assert report(run)["mode"] == "replay"


def test_an_error_before_the_first_row_has_no_summary_of_zeros_above_it(shop, broker, topic, said, capsys):
    one_task(topic, table="oders").run()

    assert not [line for line in said() if " events, " in line]
    out = capsys.readouterr().out
    assert "table 'oders' was given, but" in one_line(out)
    assert "airflow_legacy_events/databases" not in out, "the way of an error is for those who debug"


def test_a_run_that_ends_by_its_budget_says_how_many_rows_are_left(shop, broker, topic, said):
    run = one_task(topic, batch_rows=1, max_rows=1).run()

    assert "target not reached, 2 rows left; best_effort" in said()[-1]
    assert report(run)["rows_left"] == 2
