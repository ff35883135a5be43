"""Positions in topics as watermark values: what is written is read back, whatever the names of the topics."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.ports.reader import ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.positions import MOST, Place, check_values, place_of, places_of, values_of

positions = st.builds(ReadPosition, st.integers(0, MOST), st.none() | st.integers(0, 2**31 - 1))
moments = st.integers(0, 4_102_444_800_000)
places = st.builds(Place, positions, st.none()) | st.builds(Place, st.none() | positions, moments)
topics = st.text(min_size=1) | st.sampled_from(["orders", "a.b-c_d", "a[0]=5@3", "a[1]", "[0]=1", "persistent://t/n/x"])
partitions = st.builds(Partition, topics, st.integers(0, 2**31 - 1))


@given(written=st.dictionaries(partitions, places, max_size=5))
def test_what_is_written_is_read_back_in_order(written):
    values = values_of(written)
    read = places_of("s", values)
    assert read == written
    assert list(read) == sorted(written)


@given(text=st.text() | st.from_regex(r"t\[[0-9]{1,12}\]=[0-9@<:T+-]{0,25}", fullmatch=True))
def test_any_text_is_a_place_that_is_written_likewise_or_none(text):
    found = place_of(text)
    if found is not None:
        (value,) = values_of(dict([found]))
        assert place_of(value) == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        "orders",
        "orders=1",
        "orders[]=1",
        "orders[0]",
        "orders[0]=",
        "orders[0]=-1",
        "orders[0]=1@",
        "orders[0]=@3",
        "orders[0]= 1",
        "orders[0]=1 ",
        "orders[x]=1",
        "orders[0]=9223372036854775808",
        "orders[0]=٣",
        "orders[0]=2026-11-01",
        "orders[0]=1969-12-31T23:59:59+00:00",
        "orders[0]=2026-11-01T00:00:00",
        "orders[0]=2026-11-01T00:00:00+00:00<",
        "orders[0]=2026-11-01T00:00:00+00:00<x",
        "orders[0]=<15",
        "[0]=15",
    ],
)
def test_other_texts_are_refused_by_number_with_the_form(value):
    with pytest.raises(WatermarkError, match=r"value 2 of the watermark.*no position.*\n?.*topic\[partition\]=offset"):
        places_of("s", ["orders[1]=1", value])
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        check_values("s", [value])


def test_a_partition_is_named_once():
    with pytest.raises(WatermarkError, match=r"value 3 .* another one names too"):
        places_of("s", ["a[0]=1", "a[1]=1", "a[0]=2"])


def test_a_time_is_meant_in_whole_milliseconds_no_message_before_it():
    _, place = place_of("a[0]=2026-11-01T00:00:00.000001+00:00")
    assert place.since == int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp() * 1_000) + 1
    assert place_of("a[0]=2026-11-01T02:00:00+02:00<7@2") == (
        Partition("a", 0),
        Place(ReadPosition(7, 2), int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp() * 1_000)),
    )
