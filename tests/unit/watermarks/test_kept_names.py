"""The names by which commit 55f1e15 knew a stream are those by which it is known now.

`tests/golden/kept/names.json` holds them; see `tests/golden/kept/make_names.py`.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from airflow_legacy_events.core.sql_first_rule import first_fingerprint
from airflow_legacy_events.operators.links import TopicLink
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.streams.asset_lock import lock_asset
from airflow_legacy_events.streams.naming import make_stream
from airflow_legacy_events.triggers.pending import PendingEventsTrigger
from airflow_legacy_events.watermarks.airflow_variables import stream_of, variable_key
from airflow_legacy_events.watermarks.asset import watermark_asset
from tests.golden.kept.locks import mysql_name

KEPT = json.loads((Path(__file__).parents[2] / "golden" / "kept" / "names.json").read_text())


def test_variables_have_the_names_that_they_had():
    for stream, keys in KEPT["keys"].items():
        assert {prefix: variable_key(prefix, stream) for prefix in keys} == keys


def test_a_variable_is_of_the_stream_that_it_was_of():
    prefixes = {key: prefix for keys in KEPT["keys"].values() for prefix, key in keys.items()}
    assert {key: stream_of(prefixes[key], key) for key in KEPT["shown"]} == KEPT["shown"]


def test_assets_have_the_names_that_they_had():
    for stream, (name, uri) in KEPT["assets"].items():
        asset = watermark_asset(stream)
        assert (asset.name, asset.uri) == (name, uri)


def test_streams_have_the_names_that_they_had():
    words = {"conn_id": "crm", "topic": "legacy.orders", "dag_id": "d", "task_id": "t", "source_timezone": "UTC"}
    for one in KEPT["streams"]:
        assert list(make_stream(**words, table=one["table"], name=one["name"]))[:4] == one["stream"]


def test_queries_have_the_fingerprints_that_they_had():
    found = {query: first_fingerprint(query) for query in KEPT["queries"]}
    assert found == KEPT["queries"]


def test_the_lock_of_mysql_has_the_name_by_which_its_tests_look_for_it():
    assert {stream: mysql_name("crm", stream) for stream in KEPT["mysql"]} == KEPT["mysql"]


def test_a_trigger_that_a_triggerer_holds_is_understood():
    path, arguments = KEPT["trigger"]
    assert path == f"{PendingEventsTrigger.__module__}.{PendingEventsTrigger.__qualname__}"
    assert PendingEventsTrigger(**arguments).serialize() == (path, arguments)


def test_a_task_that_waits_in_a_triggerer_is_gone_on_with():
    event = {"stream": "crm.orders@t", "rows": 3, "bound": ["7"]}
    words = {"source_conn_id": "crm", "table": "orders", "watermark_columns": ["id"], "topic": "t"}
    assert PendingEventsSensor(task_id="wait", **words).execute_complete({}, event) == event


def test_links_of_past_runs_are_found():
    assert TopicLink().xcom_key == KEPT["link"]


def test_a_process_of_the_old_release_keeps_an_asset(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (tmp_path / KEPT["turn"]["file"].replace("UID", str(os.getuid()))).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not lock_asset(KEPT["turn"]["uri"], 0)


@pytest.mark.parametrize("form", ["replay_from", "replay_to", "replay_topic", "replay_rows_per_second"])
def test_the_form_of_a_replay_has_the_fields_that_past_runs_were_asked_with(form):
    from airflow_legacy_events.params import replay_params

    assert form in replay_params()
