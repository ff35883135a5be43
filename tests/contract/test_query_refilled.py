"""A table that was emptied and filled again: a queue at work, or rows that were never sent."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.set_back import EMPTIED, IDS, REWRITTEN, Table


@pytest.fixture(params=EACH)
def table(request):
    with reused_database(request, request.param) as legacy:
        legacy.execute(f"CREATE TABLE t (id {IDS[legacy.dialect]}, at timestamp NOT NULL, body varchar(20))")
        made = Table(legacy)
        made.insert("a", "b", "c", "d", "e")
        made.run()
        yield made


# Ordinary operation


@pytest.mark.parametrize("polled", [True, False])
def test_a_queue_that_is_emptied_and_then_rewritten_goes_on(table, polled):
    for body in "fg":
        table.legacy.execute("DELETE FROM t")
        table.all(REWRITTEN[table.legacy.dialect])
        if polled:
            assert table.run().table_reset is None
        table.insert(body)
        assert table.run().events == 1
    assert table.bodies == ["a", "b", "c", "d", "e", "f", "g"]


def test_a_queue_that_is_truncated_while_its_ids_go_on_is_no_reset(table):
    if table.legacy.dialect != "postgresql":
        return  # TRUNCATE begins them anew, or is not there
    for body in "fg":
        table.legacy.execute("TRUNCATE t")
        assert table.run().table_reset is None
        table.insert(body)
        assert table.run().events == 1


def test_a_queue_in_time_that_is_emptied_and_then_rewritten_goes_on(table):
    timed = Table(table.legacy, watermark_columns=("at",), key_columns=("id",))
    timed.run()
    for day in (2, 3):
        timed.legacy.execute("DELETE FROM t")
        timed.all(REWRITTEN[timed.legacy.dialect])
        timed.insert("f", day=day)
        assert timed.run().events == 1


# What can't be told


@pytest.mark.parametrize("runs", [1, 2])
def test_a_table_that_was_filled_to_its_very_watermark_fails_or_is_told(table, runs):
    if table.legacy.dialect == "postgresql":
        table.legacy.execute("DELETE FROM t")
        table.legacy.execute("SELECT setval('t_id_seq', 1, false)")
    else:
        table.all(EMPTIED[table.legacy.dialect])
    table.insert("v", "w", "x", "y", "z")
    for _ in range(runs):
        report = table.run()
    assert "the row that was delivered last is gone or another one" in report.completeness_reason


def test_rows_that_a_first_run_only_marks_are_known_again(table):
    marked = Table(table.legacy, first_run="now")
    marked.run()
    assert "gone" not in marked.run().completeness_reason
    table.all(EMPTIED[table.legacy.dialect])
    marked.insert(*"uvwxyz")
    if table.legacy.dialect == "postgresql":
        with pytest.raises(WatermarkError, match="the rows that were delivered last are not in it"):
            marked.run()
    else:
        assert "the row that was delivered last is gone or another one" in marked.run().completeness_reason


@pytest.mark.parametrize("polled", [True, False])
def test_rows_are_known_again_after_columns_came_or_went(table, polled):
    fewer = {"exclude_columns": ("at",)}
    if polled:
        assert "can't be" not in table.run(**fewer).completeness_reason
    table.all(EMPTIED[table.legacy.dialect])
    table.insert(*"uvwxyz")
    if polled and table.legacy.dialect == "postgresql":
        with pytest.raises(WatermarkError, match="the rows that were delivered last are not in it"):
            table.run(**fewer)
        return
    told = "the row that was delivered last is gone or another one" if polled else "its rows can't be compared"
    assert told in table.run(**fewer).completeness_reason


def test_a_quiet_run_over_rows_that_are_there_says_nothing(table):
    assert "gone" not in table.run().completeness_reason
