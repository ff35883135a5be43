"""Positions of a sink, moved by a person: offsets, times of messages, and the facts that go with them."""

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.moves import Rewind, SetWatermark
from airflow_legacy_events.streams.specs.topic_moves import rewound

NOW = dt.datetime(2026, 11, 8, tzinfo=dt.UTC)
FACTS = {
    "kind": "topic",
    "source": "warehouse",
    "topic_ids": {"orders": "x"},
    "object": {"orders": {"id": "1", "rows": True}},
    "lowered": {"gap": "something"},
    "truncated": ["a"],
}
MARK = Watermark(("orders[0]=100@3", "orders[1]=5@3"), None, FACTS)


def test_set_moves_the_named_partitions_and_leaves_the_others():
    found = SetWatermark(values=["orders[1]=7"]).moved("s", MARK, None)

    assert found.values == ("orders[0]=100@3", "orders[1]=7")
    assert "truncated" not in found.facts
    assert found.facts["lowered"] == FACTS["lowered"]
    assert found.facts["source"] == "warehouse"


def test_positions_of_a_topic_that_was_made_again_replace_all():
    found = SetWatermark(values=["orders[1]=0"], accept=["topic"]).moved("s", MARK, None)

    assert found.values == ("orders[1]=0",)
    assert "topic_ids" not in found.facts


@pytest.mark.parametrize("value", ["7", "orders=7", "orders[0]", "orders[0]=-1", "orders[0]=x", "orders[a]=1"])
def test_what_is_no_position_is_refused(value):
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        SetWatermark(values=[value]).moved("s", MARK, None)


def test_a_table_is_accepted_as_it_is():
    found = SetWatermark(accept=["object"]).moved("s", MARK, None)

    assert found.values == MARK.values
    assert "object" not in found.facts


@pytest.mark.parametrize("what", ["order", "definition", "where", "position"])
def test_what_no_topic_has_can_not_be_accepted(what):
    with pytest.raises(ConfigurationError, match=f"--accept {what} has no meaning"):
        SetWatermark(accept=[what]).moved("s", MARK, None)


@pytest.mark.parametrize(
    ("to", "by", "values"),
    [
        (None, "30", ("orders[0]=70", "orders[1]=0")),
        ("50", None, ("orders[0]=50", "orders[1]=5@3")),
        (None, "7d", ("orders[0]=2026-11-01T00:00:00+00:00<100", "orders[1]=2026-11-01T00:00:00+00:00<5")),
        (
            "2026-11-01T02:00:00+02:00",
            None,
            ("orders[0]=2026-11-01T00:00:00+00:00<100", "orders[1]=2026-11-01T00:00:00+00:00<5"),
        ),
    ],
)
def test_a_rewound_stream_begins_at_an_offset_or_a_time(to, by, values):
    assert rewound("s", MARK, to, by, NOW).values == values


def test_rewinding_forgets_what_was_found_of_rows_that_are_applied_again():
    found = Rewind(by="1").moved("s", MARK, None)

    assert found.facts == {"kind": "topic", "source": "warehouse", "topic_ids": {"orders": "x"}}


@pytest.mark.parametrize(
    ("to", "by", "message"),
    [
        ("100", None, "not backwards"),
        (None, "0", "not backwards"),
        (None, "7y", "such as 90s, 30m"),
        ("2026-11-01", None, "with an offset"),
        ("yesterday", None, "with an offset"),
        (None, "999999999w", "below every time"),
    ],
)
def test_what_does_not_lead_back_is_refused(to, by, message):
    with pytest.raises(ConfigurationError, match=message):
        rewound("s", MARK, to, by, NOW)


@pytest.mark.parametrize("mark", [None, Watermark(None, None, FACTS)])
def test_a_stream_that_has_applied_nothing_can_not_be_rewound(mark):
    with pytest.raises(ConfigurationError, match="no watermark to move back"):
        rewound("s", mark, None, "1h", NOW)
