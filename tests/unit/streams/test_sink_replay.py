"""Replays of a topic beside its live stream: what keeps older messages from going over newer rows, or twice."""

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import RunMode, Window
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.streams.sink_replay import refuse_plain_replay, refuse_repeats
from airflow_legacy_events.streams.specs.topic import TopicSpec

WINDOW = Window(None, "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00")


def spec(**arguments):
    return TopicSpec(conn_id="warehouse", broker_conn_id="kafka", topics="orders", table="orders", **arguments)


def shape(*, unique=True, nullable=False):
    return TargetShape(
        "orders", (TargetColumn("ev", Kind.TEXT, "text", nullable=nullable),), (), repeats=(0,) if unique else ()
    )


APPENDS = {"mode": "append", "metadata_columns": {"event_id": "ev"}}


def test_a_plain_replay_is_refused_with_all_that_would_allow_it():
    with pytest.raises(ConfigurationError) as caught:
        refuse_plain_replay(spec(), "s", RunMode("replay", WINDOW))
    for way in ("replay_table=", "version_column=", "event_id", "watermark rewind s"):
        assert way in str(caught.value)


@pytest.mark.parametrize("arguments", [{"replay_table": "again"}, {"version_column": "v"}, APPENDS])
def test_a_replay_that_newer_rows_outlive_is_allowed(arguments):
    refuse_plain_replay(spec(**arguments), "s", RunMode("replay", WINDOW))


def test_a_replay_sends_nothing_to_a_topic():
    with pytest.raises(ConfigurationError, match='Leave "topic" out'):
        refuse_plain_replay(spec(replay_table="again"), "s", RunMode("replay", WINDOW, topic="other"))


def test_a_replay_goes_into_its_own_table_under_the_name_of_the_stream():
    found = spec(replay_table="again").replaying()

    assert (found.table, found.replay_table) == ("again", None)
    found.check(rendered=True)


@pytest.mark.parametrize(
    ("made", "why"), [(shape(unique=False), "no unique index"), (shape(nullable=True), "'ev' takes NULL")]
)
def test_rows_would_be_appended_twice_without_unique_event_ids(made, why):
    with pytest.raises(ConfigurationError, match=why):
        refuse_repeats(spec(**APPENDS), {"orders": made})
    refuse_repeats(spec(version_column="v"), {"orders": made})


def test_unique_event_ids_allow_a_replay():
    refuse_repeats(spec(**APPENDS), {"orders": shape()})
