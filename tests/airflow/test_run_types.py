"""Every run type with every timetable: what is published, and what the store holds after."""

from __future__ import annotations

import functools

import pytest

from tests.airflow import metadata
from tests.airflow.runs import LIVE_TYPES, SCHEDULES, at, ids, one_task, progress, report, watermark


@pytest.fixture
def dag(topic):
    """Returns a function that makes a DAG of one task on the topic."""
    return functools.partial(one_task, topic)


ZERO, WHOLE = (at(5), at(5)), (at(2), at(3))
INTERVALS = {"cron text": ZERO, "timedelta": ZERO, "data interval": WHOLE, "trigger with interval": WHOLE}


@pytest.mark.parametrize("run_type", [*LIVE_TYPES, "manual without a logical date"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_run_that_is_no_backfill_is_live_with_or_without_an_interval(
    shop, broker, dag, topic, run_type, schedule
):
    interval = INTERVALS.get(schedule) if run_type in ("scheduled", "manual") else None

    ended = dag(SCHEDULES[schedule]).run(run_type.split()[0], logical_date=interval and interval[0], interval=interval)

    assert report(ended)["mode"] == "live"
    assert ids(broker.read(topic)) == [1, 2, 3]
    assert watermark(topic) == ["2026-11-02 08:00:00.5", "3"]
    assert progress(topic) == []


def backfilled(dag, first, last):
    """The runs that Airflow makes for a backfill, as (logical date, interval)."""
    from airflow.models.backfill import _get_info_list

    infos = _get_info_list(dag=dag.serialized, from_date=first, to_date=last, reverse=False)
    return [(one.logical_date, one.data_interval and (one.data_interval.start, one.data_interval.end)) for one in infos]


@pytest.mark.parametrize(
    ("schedule", "sent"),
    [
        ("data interval", [[1, 2], [3], []]),
        ("trigger with interval", [[], [1, 2], [3]]),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_backfill_sends_each_interval_and_leaves_the_live_watermark(
    shop, broker, dag, topic, schedule, sent, backwards
):
    made = dag(SCHEDULES[schedule])
    made.run("scheduled", logical_date=at(10), interval=(at(10), at(11)))
    before = watermark(topic)
    shop.execute("INSERT INTO orders VALUES (9, 1, 'late', NULL, '2026-11-20 08:00:00')")

    planned = backfilled(made, at(1), at(3))
    runs = [
        made.run("backfill", logical_date=date, interval=interval)
        for date, interval in (reversed(planned) if backwards else planned)
    ]

    reports = [report(run) for run in (reversed(runs) if backwards else runs)]
    assert [one["mode"] for one in reports] == ["replay"] * 3
    assert [one["window"] for one in reports] == [
        {"from": start.isoformat(), "to": end.isoformat()} for _, (start, end) in planned
    ]
    assert [one["events"] for one in reports] == [len(part) for part in sent]
    messages = broker.read(topic)
    assert ids(messages)[:3] == [1, 2, 3]
    assert sorted(ids(messages)[3:]) == [1, 2, 3]
    assert {one.event["op"] for one in messages[3:]} == {"r"}
    assert watermark(topic) == before
    assert progress(topic) == []


@pytest.mark.parametrize("schedule", ["cron text", "timedelta"])
def test_a_backfill_without_an_interval_fails_and_says_how_to_schedule_it(shop, broker, dag, topic, schedule):
    made = dag(SCHEDULES[schedule])
    for date, interval in backfilled(made, at(1), at(2)):
        ended = made.run("backfill", logical_date=date, interval=interval)
        assert metadata.states(ended) == {"publish": "failed"}

    assert broker.read(topic) == []
    assert watermark(topic) is None


def test_a_backfill_of_partitions_has_no_interval_either(shop, broker, dag, topic):
    made = dag(SCHEDULES["partition"])

    assert metadata.states(made.run("backfill")) == {"publish": "failed"}
    assert broker.read(topic) == []


def test_a_run_that_a_backfill_processes_again_is_a_replay_whatever_its_id(shop, broker, dag, topic):
    made = dag()
    live = made.run("scheduled", logical_date=at(1), interval=(at(1), at(2)), run_id="scheduled__2026-11-01")
    before = watermark(topic)

    again = made.clear(live, "backfill")

    assert again.run_id == "scheduled__2026-11-01"
    assert report(again)["mode"] == "replay"
    assert ids(broker.read(topic)) == [1, 2, 3, 1, 2]
    assert watermark(topic) == before


def test_a_backfill_over_a_failed_live_run_is_a_replay(shop, broker, dag, topic):
    made = dag()
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    failed = made.run("scheduled", logical_date=at(1), interval=(at(1), at(2)))
    assert metadata.states(failed) == {"publish": "failed"}
    shop.execute("ALTER TABLE hidden RENAME TO orders")

    again = made.clear(failed, "backfill")

    assert report(again)["mode"] == "replay"
    assert ids(broker.read(topic)) == [1, 2]
    assert watermark(topic) is None


def test_a_backfill_of_a_table_watermarked_by_id_needs_a_time_column(shop, broker, dag, topic):
    without, with_ = dag(watermark_columns=["id"]), dag(watermark_columns=["id"], time_column="updated_at")
    run = {"logical_date": at(1), "interval": (at(1), at(2))}

    assert metadata.states(without.run("backfill", **run)) == {"publish": "failed"}
    assert metadata.states(with_.run("backfill", **run)) == {"publish": "success"}
    assert ids(broker.read(topic)) == [1, 2]
