"""Replays that a run asks for, whatever started it: what is published, and what the store holds after."""

from __future__ import annotations

import functools
import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.runs import HEAD, LIVE_TYPES, SCHEDULES, ids, one_task, progress, report, watermark
from tests.airflow.scheduler import Dag
from tests.support.messages import one_line


@pytest.fixture
def dag(topic):
    """Returns a function that makes a DAG of one task on the topic."""
    return functools.partial(one_task, topic)


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
    made = dag(replay_topic=own, replay_topics=("{{ params.asked }}",), dag_arguments=f"params={{'asked': {asked!r}}},")

    made.run(conf={"replay": REPLAY})
    assert broker.read(topic) == []
    for name in (asked, own, topic):
        made.run(conf={"replay": {**REPLAY, "topic": name, "rows_per_second": 500}})

    assert ids(broker.read(asked)) == ids(broker.read(topic)) == [1, 2]
    assert ids(broker.read(own)) == [1, 2, 1, 2]
    assert dict(broker.read(own)[0].headers)["mode"] == "replay"


@pytest.mark.parametrize("asked", ["configuration", "form"])
def test_whoever_triggers_a_run_does_not_choose_a_topic_of_others(shop, broker, dag, topic, asked, capsys):
    others, allowed = broker.make(), broker.make()
    made = dag(replay_topics=[allowed, "t-*"], dag_arguments="params=replay_params(),")

    if asked == "form":
        found = {f"replay_{name}": value for name, value in {**REPLAY, "topic": others}.items()}
    else:
        found = {"replay": {**REPLAY, "topic": others}}
    ended = made.run(conf=found)

    assert metadata.states(ended) == {"publish": "failed"}
    out = capsys.readouterr().out
    assert f"requests a replay to topic '{others}'; nothing was read. It may name '{topic}' or '{allowed}'" in one_line(
        out
    )
    assert "replay_topics=" in out
    assert [*broker.read(others), *broker.read(topic)] == []


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


def test_ids_may_be_replayed_by_their_values(shop, broker, dag, topic):
    dag(watermark_columns=["id"]).run(conf={"replay": {"from": 2, "to": 4}})

    assert ids(broker.read(topic)) == [2, 3]


def test_a_replay_repeats_the_live_ids_of_rows_that_did_not_change(shop, broker, dag, topic):
    made = dag()
    made.run()
    made.run(conf={"replay": REPLAY})

    events = [one.event for one in broker.read(topic)]
    assert [one["id"] for one in events[3:]] == [one["id"] for one in events[:2]]


MOVING = """
import sqlite3
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
class Moving:
    def compile(self, shape, stream):
        encode = CloudEventsEnvelope().compile(shape, stream)
        def moving(batch):
            with sqlite3.connect({file!r}) as shop:
                shop.execute("UPDATE orders SET status = 'paid', updated_at = '2026-11-09 08:00:00' WHERE id = 1")
            return encode(batch)
        return moving
"""


def test_a_row_that_changes_once_its_page_is_read_is_sent_again_into_the_live_topic_alone(shop, broker, topic):
    other, dag_id = broker.make(), f"dag_{uuid.uuid4().hex[:12]}"
    file = shop.execute("PRAGMA database_list").fetchone()[2]
    made = Dag.write(
        f"""{HEAD}{MOVING.format(file=file)}
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(task_id="publish", topic={topic!r}, source_conn_id="legacy_shop", table="orders",
        watermark_columns=["updated_at"], replay_topic={other!r}, envelope=Moving())
""",
        dag_id,
    )

    def statuses(name):
        found = [one.event["data"] for one in broker.read(name)]
        return [(one["id"], one["status"]) for one in found]

    assert metadata.states(made.run(conf={"replay": {**REPLAY, "topic": topic}})) == {"publish": "success"}
    assert statuses(topic) == [(1, "new"), (2, "paid"), (1, "paid")]

    shop.execute("UPDATE orders SET status = 'new', updated_at = '2026-11-01 08:00:00' WHERE id = 1")
    assert metadata.states(made.run(conf={"replay": REPLAY})) == {"publish": "success"}
    assert statuses(other) == [(1, "new"), (2, "paid")]
