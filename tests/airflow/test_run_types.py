"""Every run type with every timetable: what is published, and what the store holds after."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest

from airflow_legacy_events.watermarks import variable
from tests.airflow import metadata
from tests.airflow.scheduler import Dag

HEAD = """
import datetime as dt
from airflow.sdk import (
    DAG, Asset, CronDataIntervalTimetable, CronPartitionTimetable, CronTriggerTimetable, DeltaTriggerTimetable
)
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.params import replay_params
"""
INTERVAL = 'CronDataIntervalTimetable("0 0 * * *", timezone="UTC")'
SCHEDULES = {
    "cron text": '"0 0 * * *"',
    "timedelta": "dt.timedelta(days=1)",
    "data interval": INTERVAL,
    "trigger with interval": 'CronTriggerTimetable("0 0 * * *", timezone="UTC", interval=dt.timedelta(days=1))',
    "partition": 'CronPartitionTimetable("0 0 * * *", timezone="UTC")',
    "none": "None",
    "assets": '[Asset("waits-for")]',
}
DAY = dt.timedelta(days=1)


def at(day, hour=0):
    return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)


@pytest.fixture
def dag(topic):
    """Returns a function that makes a DAG of one task on the topic."""

    def make(schedule=INTERVAL, dag_arguments="", **arguments):
        dag_id = f"dag_{uuid.uuid4().hex[:12]}"
        words = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]} | arguments
        text = ", ".join(f"{name}={value!r}" for name, value in words.items() if value is not None)
        return Dag.write(
            f"""{HEAD}
with DAG({dag_id!r}, schedule={schedule}, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc), catchup=False,
         {dag_arguments}):
    IncrementalQueryOperator(task_id="publish", topic={topic!r}, {text})
""",
            dag_id,
        )

    return make


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


def report(run):
    return metadata.pulled(run, "publish") or metadata.pulled(run, "publish", key="report")


def watermark(topic):
    text = metadata.variables().get(f"{variable.PREFIX}legacy_shop.orders@{topic}")
    return None if text is None else [one["text"] for one in json.loads(text)["values"] or []]


def progress(topic):
    return [key for key in metadata.variables() if topic in key and "~23" in key]


LIVE_TYPES = ["scheduled", "manual", "asset_triggered", "asset_materialization", "operator_triggered"]
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


REPLAY = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}


@pytest.mark.parametrize("run_type", [*LIVE_TYPES, "backfill"])
@pytest.mark.parametrize("schedule", ["data interval", "cron text", "none"])
def test_a_replay_that_was_asked_for_comes_first_in_every_run(shop, broker, dag, topic, run_type, schedule):
    made = dag(SCHEDULES[schedule])

    ended = made.run(run_type, conf={"replay": REPLAY})

    assert (report(ended)["mode"], report(ended)["window"]) == ("replay", REPLAY)
    assert ids(broker.read(topic)) == [1, 2]
    assert watermark(topic) is None
    assert progress(topic) == []


def test_a_replay_may_name_a_topic_and_the_operator_another(shop, broker, dag, topic):
    own, asked = broker.make(), broker.make()
    made = dag(replay_topic=own)

    made.run(conf={"replay": REPLAY})
    made.run(conf={"replay": {**REPLAY, "topic": asked, "rows_per_second": 500}})

    assert broker.read(topic) == []
    assert ids(broker.read(own)) == ids(broker.read(asked)) == [1, 2]
    assert dict(broker.read(own)[0].headers)["mode"] == "replay"


def test_the_trigger_form_asks_for_a_replay_and_the_configuration_wins(shop, broker, dag, topic):
    made = dag(dag_arguments="params=replay_params(),")
    form = {"replay_from": REPLAY["from"], "replay_to": REPLAY["to"]}

    assert report(made.run())["mode"] == "live"
    assert report(made.run(conf=form))["window"] == REPLAY
    other = {"from": "2026-11-02T00:00:00Z", "to": "2026-11-03T00:00:00Z"}
    assert report(made.run(conf={**form, "replay": other}))["window"] == other


def test_replays_neither_wake_others_nor_count_as_live(shop, broker, dag, topic):
    made = dag()
    assert metadata.asset_events(made.run(conf={"replay": REPLAY})) == []
    assert len(metadata.asset_events(made.run())) == 1


def test_a_replay_runs_while_a_live_run_holds_the_stream_and_the_other_way_round(shop, broker, dag, topic):
    from airflow_legacy_events.hooks.database import LegacyDatabaseHook

    made = dag()
    holder = {"dag": "other", "task": "publish", "run": "r9", "map_index": -1, "try": 1, "host": "h", "pid": 7}
    with metadata.as_server():
        database = LegacyDatabaseHook("legacy_shop").get_database()
    with database.lock(f"legacy_shop.orders@{topic}", holder):
        assert metadata.states(made.run(conf={"replay": REPLAY})) == {"publish": "success"}
        assert metadata.states(made.run()) == {"publish": "skipped"}
    with database.lock(f"legacy_shop.orders@{topic}#replay", holder):
        assert metadata.states(made.run()) == {"publish": "success"}
        assert metadata.states(made.run(run_id="replay", conf={"replay": REPLAY})) == {"publish": "skipped"}


def test_a_backfill_of_a_table_watermarked_by_id_needs_a_time_column(shop, broker, dag, topic):
    without, with_ = dag(watermark_columns=["id"]), dag(watermark_columns=["id"], time_column="updated_at")
    run = {"logical_date": at(1), "interval": (at(1), at(2))}

    assert metadata.states(without.run("backfill", **run)) == {"publish": "failed"}
    assert metadata.states(with_.run("backfill", **run)) == {"publish": "success"}
    assert ids(broker.read(topic)) == [1, 2]


def test_ids_may_be_replayed_by_their_values(shop, broker, dag, topic):
    dag(watermark_columns=["id"]).run(conf={"replay": {"from": 2, "to": 4}})

    assert ids(broker.read(topic)) == [2, 3]


def test_a_replay_repeats_the_live_ids_of_rows_that_did_not_change(shop, broker, dag, topic):
    made = dag()
    made.run()
    made.run(conf={"replay": REPLAY})

    events = [one.event for one in broker.read(topic)]
    assert [one["id"] for one in events[3:]] == [one["id"] for one in events[:2]]


def test_a_cleared_run_resumes_the_live_stream(shop, broker, dag, topic):
    made = dag()
    first = made.run("scheduled", logical_date=at(1), interval=(at(1), at(2)))
    shop.execute("INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-03 08:00:00')")

    again = made.clear(first)

    assert report(again)["mode"] == "live"
    assert ids(broker.read(topic)) == [1, 2, 3, 4]


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


def test_a_failed_run_that_is_cleared_is_live_also_where_repeats_are_asked_for(shop, broker, dag, topic):
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    made = dag(on_clear="repeat")
    failed = made.run()
    shop.execute("ALTER TABLE hidden RENAME TO orders")

    again = made.clear(failed)

    assert (metadata.states(again), report(again)["mode"]) == ({"publish": "success"}, "live")
    assert ids(broker.read(topic)) == [1, 2, 3]
