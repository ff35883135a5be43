"""What a log can't tell: truncations, changed columns, gaps; and tables that are read anew because of it."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import CompletenessError, SourceError, WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import MetTopics, TableName
from tests.unit.sources.changelog.test_runs import brief

ANEW = {"snapshot": ["main.orders"]}
NAMED = '{"snapshot": ["main.orders"]}'
ROWS = [("r", "1", "one"), ("r", "2", "two"), ("r", "3", "three"), ("r", "4", "four")]


def warnings(caplog):
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def test_a_truncation_ends_the_run_until_the_table_is_read_anew(shop, caplog):
    shop.run()
    shop.put((5, "five"))
    shop.happen("truncate")
    shop.put((6, "six"))
    for _ in range(2):
        with pytest.raises(SourceError, match="on_truncate='fail'") as caught:
            shop.run()
        assert NAMED in str(caught.value)
    assert brief(shop.run(**ANEW)) == [("t",), ("c", "6", "six"), ("r", "6", "six")]
    assert len(warnings(caplog)) == 1
    assert shop.equal
    assert shop.run() == []


def test_a_truncation_is_an_event(shop):
    shop.run(on_truncate="event")
    shop.happen("truncate")
    shop.put((6, "six"))
    [truncated, after] = shop.run(on_truncate="event")
    assert (truncated.op, truncated.key, truncated.row, after.op) == ("t", None, {}, "c")
    assert shop.equal


def test_where_partitions_are_truncated_the_rest_of_the_table_is_read_behind_it(shop):
    shop.run(on_truncate="event")
    shop.happen("truncate some")
    shop.put((6, "six"))
    assert [one[0] for one in brief(shop.run(on_truncate="event"))] == ["t", "c", "r"]
    assert shop.equal
    assert shop.told()["state"] == "read"


def test_a_truncation_that_is_skipped_lowers_the_completeness_until_the_table_is_read_anew(shop, caplog):
    shop.run()
    shop.happen("truncate")
    assert shop.run(on_truncate="skip") == []
    assert NAMED in "".join(warnings(caplog))
    assert shop.process.inner.lowered()[0] == "best_effort"
    horizon, _ = shop.source(on_truncate="skip").open(shop.saved)
    assert (horizon.completeness, NAMED in horizon.reason) == ("best_effort", True)
    assert shop.run(on_truncate="skip", **ANEW) == []
    assert "gaps" not in shop.told()


def test_a_table_read_anew_later_is_cleared_first_of_what_was_skipped(shop):
    shop.run()
    shop.happen("truncate")
    shop.put((6, "six"))
    shop.run(on_truncate="skip")
    assert not shop.equal
    assert brief(shop.run(**ANEW)) == [("t",), ("r", "6", "six")]
    assert shop.equal


def test_a_truncation_of_a_table_that_was_never_sent_is_none(shop):
    source = shop.source()
    source.database.memory_log.begin([])
    shop.run(tables=["main.names"])
    shop.server.members.add("orders")
    shop.happen("truncate")
    shop.put((6, "six"))
    assert brief(shop.run()) == [("r", "6", "six")]


def test_what_a_snapshot_passes_is_read_anew_and_none_of_its_changes_is_dropped(shop):
    shop.run()
    shop.put((4, "vier"))
    assert brief(shop.run(**ANEW)) == [("u", "4", "vier"), *ROWS[:3], ("r", "4", "vier")]


def test_a_snapshot_that_broke_off_goes_on_by_a_retry_of_its_run(shop):
    shop.run()
    some = Limits(batch_rows=3, max_rows=3)
    assert brief(shop.run(**ANEW, run="one", limits=some)) == ROWS[:3]
    assert brief(shop.run(**ANEW, run="one")) == ROWS[3:]
    assert brief(shop.run(**ANEW, run="one")) == []
    assert brief(shop.run(**ANEW, run="two")) == ROWS


def test_a_snapshot_that_broke_off_goes_on_by_itself(shop):
    shop.run()
    shop.run(**ANEW, limits=Limits(batch_rows=3, max_rows=3))
    shop.put((1, "eins"), (4, "vier"))
    assert brief(shop.run()) == [("u", "1", "eins"), ("u", "4", "vier"), ("r", "4", "vier")]


def test_ids_of_rows_read_anew_have_the_number_of_their_snapshot(shop):
    assert {one.snapshot for one in shop.run()} == {1}
    assert {one.snapshot for one in shop.run(**ANEW)} == {2}


def test_a_change_that_cannot_be_delivered_ends_the_run_until_the_table_is_read_anew(shop):
    shop.run()
    shop.happen("gap lost removed")
    shop.put((6, "six"))
    with pytest.raises(SourceError) as caught:
        shop.run()
    assert NAMED in str(caught.value)
    assert [one[0] for one in brief(shop.run(**ANEW))] == ["c", "t", *"rrrrr"]
    assert shop.equal


def test_what_the_log_does_not_hold_lowers_the_completeness(shop, caplog):
    shop.run()
    shop.happen("gap")
    assert shop.run() == []
    assert NAMED in "".join(warnings(caplog))
    assert shop.told()["gaps"]
    shop.happen("gap")
    shop.run()
    assert len(shop.told()["gaps"]) == 1
    assert brief(shop.run(**ANEW)) == ROWS
    assert "gaps" not in shop.told()


def test_a_run_that_must_be_complete_fails_there_and_later_until_the_table_is_read_anew(shop):
    shop.run(completeness="exact")
    shop.happen("gap")
    for _ in range(2):
        with pytest.raises(CompletenessError) as caught:
            shop.run(completeness="exact")
        assert NAMED in str(caught.value)
    shop.run()
    with pytest.raises(CompletenessError, match="exact"):
        shop.source(completeness="exact").open(shop.saved)
    assert brief(shop.run(completeness="exact", **ANEW)) == ROWS
    assert shop.run(completeness="exact") == []


def test_what_happened_beside_the_log_is_told(shop, caplog):
    shop.run()
    source = shop.source()
    source.database.memory_log.happened = {TableName("main", "orders"): ["a partition with rows was attached"]}
    horizon, _ = source.open(shop.saved)
    assert horizon.completeness == "best_effort"
    assert "a partition with rows was attached" in "".join(warnings(caplog))


def test_a_column_that_came_with_values_is_told(shop, caplog):
    shop.run()
    shop.server.add_column("orders", "size", "big")
    shop.put((5, "five", "small"))
    assert brief(shop.run()) == [("c", "5", "five", "small")]
    assert "'size' came with values" in "".join(warnings(caplog))
    assert not shop.equal
    shop.run(**ANEW)
    assert shop.equal
    caplog.clear()
    shop.put((6, "six", "small"))
    assert shop.run()
    assert warnings(caplog) == []


def test_a_column_that_came_with_values_is_told_before_its_next_change(shop, caplog):
    shop.run()
    shop.server.add_column("orders", "size", "big")
    horizon, _ = shop.source().open(shop.saved)
    assert horizon.completeness == "best_effort"
    with pytest.raises(CompletenessError, match="size"):
        shop.source(completeness="exact").open(shop.saved)


def test_a_column_without_a_default_is_silent(shop, caplog):
    shop.run()
    shop.server.add_column("orders", "size")
    shop.put((5, "five", "small"))
    assert brief(shop.run(completeness="exact")) == [("c", "5", "five", "small")]
    assert warnings(caplog) == []


def test_changed_columns_end_a_run_that_is_to_fail_by_them(shop):
    shop.run()
    shop.server.add_column("orders", "size")
    shop.put((5, "five", "small"))
    with pytest.raises(WatermarkError, match="'size'") as caught:
        shop.run(on_schema_change="fail")
    assert "on_schema_change='evolve'" in str(caught.value)
    assert brief(shop.run(on_schema_change="fail", **ANEW))[0] == ("c", "5", "five", "small")
    assert shop.run(on_schema_change="fail") == []


def test_a_run_whose_time_is_over_behind_the_clearing_of_an_empty_table_ends_with_a_watermark(shop):
    shop.run()
    shop.happen("truncate")
    shop.run(on_truncate="skip")
    source = shop.source(on_truncate="event", limits=Limits(batch_rows=3, max_seconds=60), **ANEW)
    found = []
    for batch in source.open(shop.saved).batches:
        found.append(batch)
        if batch.op == "t":
            source._run.drain.budget.clock = lambda: float("inf")
    cleared, last = found[-2:]
    assert (cleared.op, cleared.after) == ("t", None)
    assert (last.count, last.after is not None, last.final) == (0, True, False)


def test_a_change_that_the_broker_refuses_may_be_passed_before_its_table_is_read_anew(shop):
    shop.run()
    shop.put((6, "six"))
    shop.put(("a", 1, 1), table="names")
    found = [one for one in shop.source(**ANEW).open(shop.saved).batches if one.count]
    assert [(one.shape.table, one.passing) for one in found if one.op != "r"] == [
        ("main.orders", True),
        ("main.names", False),
    ]
    assert not any(one.passing for one in found if one.op == "r")


def test_a_compacted_topic_is_sent_no_message_without_a_key(shop, caplog):
    shop.run()
    shop.happen("truncate")
    shop.put((6, "six"))
    horizon, batches = shop.source(**ANEW).open(shop.saved)
    horizon.met(MetTopics(("cdc.main.orders",)))
    assert [one.op for one in batches if one.count] == [["c"], "r"]
    assert "compacted" in caplog.text
