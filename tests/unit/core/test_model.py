from __future__ import annotations

import pytest

from airflow_legacy_events import errors
from airflow_legacy_events.core import errors as core_errors
from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import BusyError, ConfigurationError, SourceError, WatermarkError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.ports import Source
from airflow_legacy_events.sources.query.facts import REMEDIES
from tests.support.fakes import Outbox, OutboxSource


@pytest.mark.parametrize(
    ("keys", "values", "size"),
    [
        ([], [], 0),
        (["a", "bc"], ["äö", "1"], 8),
        (["a", None], ["12", None], 3),
        ([None, "ü"], [b"\x00\x01", "1"], 5),
    ],
)
def test_a_size_counts_keys_and_values_in_utf_8(keys, values, size):
    assert Messages("t", keys, values).size() == size


def test_a_size_leaves_out_what_was_refused():
    messages = Messages("t", ["a", "b", "c"], ["1", "ä2", None])
    assert messages.size({1}) == 3
    assert messages.size({0, 2}) == 4


def test_the_fake_source_is_a_source():
    assert isinstance(OutboxSource(Outbox()), Source)


def test_the_errors_are_told_apart_by_who_has_to_act():
    assert issubclass(BusyError, SourceError)
    assert [SourceError("x").retry_helps, ConfigurationError("x").retry_helps] == [True, False]
    assert [WatermarkError("x").retry_helps, WatermarkError("x", retry_helps=True).retry_helps] == [False, True]
    public = {name for name in dir(errors) if name.endswith("Error")}
    assert {name for name in dir(core_errors) if name.endswith("Error")} <= public


@pytest.mark.parametrize(
    ("fact", "remedy"),
    [
        ("topic", "a new topic is a new stream"),
        ("kind", "give the stream another name with stream="),
        ("cluster", "point broker_conn_id back"),
        ("server", "`airflow legacy-events watermark set s --accept-server`"),
        ("watermark_columns", "restore them, or give the stream another name with stream="),
        ("key_columns", "restore them, or give the stream another name with stream="),
    ],
)
def test_a_watermark_of_something_else_is_refused_with_both_sides_and_the_remedies(fact, remedy):
    one, other = (["one"], ["other"]) if fact.endswith("columns") else ("one", "other")
    with pytest.raises(WatermarkError) as refused:
        guard.check("s", {fact: one}, {fact: other}, REMEDIES)

    message = str(refused.value)
    assert f"was written for {fact} {one!r}, this run has {other!r}; nothing was read" in message
    assert remedy in message
    assert "`airflow legacy-events watermark forget s`" in message


def test_the_remedies_can_be_pasted_into_a_shell_whatever_the_stream_is_called():
    with pytest.raises(WatermarkError) as refused:
        guard.check("crm.Order Details@t", {"server": "one"}, {"server": "other"}, REMEDIES)

    assert "watermark set 'crm.Order Details@t' --accept-server`" in str(refused.value)
    assert "watermark forget 'crm.Order Details@t'`" in str(refused.value)


def test_facts_that_one_side_does_not_know_are_not_compared():
    guard.check("s", {"topic": "t", "cluster": None}, {"topic": "t", "cluster": "c", "server": {"id": "1"}}, REMEDIES)
