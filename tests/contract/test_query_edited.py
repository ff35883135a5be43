"""Watermarks that a person edited into what is no value of their columns."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import LegacyEventsError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.set_back import IDS, Table


@pytest.fixture(params=EACH)
def table(request):
    with reused_database(request, request.param) as legacy:
        legacy.execute(f"CREATE TABLE t (id {IDS[legacy.dialect]}, at timestamp NOT NULL, body varchar(20))")
        made = Table(legacy)
        made.insert("a", "b", "c")
        yield made


def edit(made, *values):
    made.run()
    mark = made.deliveries.store.load(made.deliveries.name)
    made.deliveries.store.save(made.deliveries.name, Watermark(values, None, mark.facts), expected=mark)


@pytest.mark.parametrize("values", [("x",), ("nan",), ("3.5",), ("",), ("3", "4")])
def test_what_is_no_number_begins_nothing_anew(table, values):
    edit(table, *values)
    with pytest.raises(WatermarkError, match=r"the watermark of stream .* holds .*watermark show.*watermark set"):
        table.run()
    assert len(table.bodies) == 3


@pytest.mark.parametrize("moment", ["x", "infinity", "2026-13-01 00:00:00", "3", ""])
def test_what_is_no_time_begins_nothing_anew(table, moment):
    timed = Table(table.legacy, watermark_columns=("at",), key_columns=("id",))
    edit(timed, moment, "3")
    with pytest.raises(
        WatermarkError, match=r"a text for column 'at' that is not a value.*watermark show.*watermark set"
    ):
        timed.run()
    assert len(timed.bodies) == 3


def test_what_waits_for_rows_hears_of_it_too(table):
    edit(table, "3", "4")
    with table.legacy.source(watermark_columns=("id",)) as source, pytest.raises(WatermarkError, match="watermark set"):
        source.pending(table.deliveries.store.load(table.deliveries.name))


def test_a_number_beyond_all_ids_sends_nothing(table):
    edit(table, "9" * 30)
    with pytest.raises(LegacyEventsError):
        table.run()


def test_a_time_that_a_person_writes_is_one(table):
    timed = Table(table.legacy, watermark_columns=("at",), key_columns=("id",))
    edit(timed, "2026-11-01 07:00:00", "1")
    assert timed.run().events == 3
