"""Runs of a change log: what they send, where they end, and how the next one goes on."""

from __future__ import annotations

import itertools

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Pending, Span
from tests.support.crashes import Crash
from tests.support.log_runs import run


def brief(events):
    return [(one.op, *one.row.values()) for one in events]


def test_a_first_run_sends_the_rows_and_later_ones_the_changes(shop):
    assert brief(shop.run()) == [("r", "1", "one"), ("r", "2", "two"), ("r", "3", "three"), ("r", "4", "four")]
    shop.put((2, "zwei"), (5, "five"))
    shop.delete((1,))
    assert brief(shop.run()) == [("u", "2", "zwei"), ("c", "5", "five"), ("d", "1")]
    assert shop.equal


def test_a_first_run_from_now_on_sends_changes_alone_and_rows_of_tables_that_come_later(shop):
    assert shop.run(first_run="now") == []
    shop.put((5, "five"))
    shop.server.create("later", {"id": "INTEGER", "v": "INTEGER"}, ["id"])
    shop.put((1, 10), table="later")
    assert brief(shop.run(first_run="now")) == [("c", "5", "five"), ("r", "1", "10")]


def test_a_table_that_joins_is_read_whole_and_then_followed(shop):
    shop.run(tables=["main.orders"])
    shop.put(("x", 1, 1), ("y", 2, 2), table="names")
    shop.put((5, "five"))
    assert brief(shop.run()) == [("c", "5", "five"), ("r", "x", "1", "1"), ("r", "y", "2", "2")]
    shop.delete(("x", 1), table="names")
    assert brief(shop.run()) == [("d", "x", "1")]
    assert shop.equal


def test_a_table_that_is_gone_is_forgotten_with_a_warning(shop, caplog):
    shop.run()
    shop.put(("x", 1, 1), table="names")
    shop.server.drop("names")
    assert shop.run() == []
    assert "'main.names'" in caplog.text
    assert list(shop.saved.facts["tables"]) == ["main.orders"]


def test_a_table_that_comes_back_is_cleared_and_read_anew(shop):
    shop.put(("x", 1, 1), ("y", 2, 2), table="names")
    shop.run()
    shop.run(tables=["main.orders"])
    shop.delete(("x", 1), table="names")
    shop.run(tables=["main.orders"])
    events = shop.run()
    assert [(one.op, one.snapshot) for one in events] == [("t", 0), ("r", 2)]
    assert shop.equal
    assert "gone" not in shop.saved.facts


def test_a_first_run_from_now_on_reads_a_table_that_is_requested(shop):
    shop.put(("x", 1, 1), table="names")
    assert brief(shop.run(first_run="now", snapshot=["main.names"])) == [("r", "x", "1", "1")]


def test_old_rows_are_sent_beside_the_new_ones(shop):
    shop.run(images="both")
    shop.put((2, "zwei"))
    source = shop.source(images="both")
    batch = next(source.open(shop.saved).batches)
    shape, [row] = batch.shape, batch.rows
    assert [row[at] for at in shape.data] == ["2", "zwei"]
    assert row[shape.before[0]] == "2"


def test_a_run_without_anything_to_read_reads_nothing_and_asks_for_no_topic(shop):
    shop.run()
    source = shop.source()
    horizon, batches = source.open(shop.saved)
    assert (horizon.target, horizon.topics, list(batches)) == (None, (), [])
    assert source.database.memory_log.reads == []


def test_log_of_others_moves_the_watermark_and_is_acknowledged(shop):
    shop.run()
    shop.server.foreign(100)
    assert shop.run() == []
    assert shop.saved.values == (str(shop.server.at), "0")
    assert shop.server.confirmed == shop.server.at


def test_a_horizon_names_the_topic_of_each_table(shop):
    horizon, _ = shop.source().open(None)
    assert horizon.topics == ("cdc.main.names", "cdc.main.orders")
    assert horizon.completeness == "exact"


def test_a_budget_ends_a_run_inside_a_leg_and_no_row_is_read_again(shop):
    shop.put(*((number, "more") for number in range(5, 12)))
    sent = [shop.run(limits=Limits(batch_rows=3, max_rows=4)) for _ in range(3)]
    assert [len(one) for one in sent] == [4, 4, 3]
    assert len({one.key for one in itertools.chain(*sent)}) == 11
    assert shop.told()["state"] == "read"
    assert "leg" not in shop.told()


def test_a_budget_ends_a_run_inside_a_transaction(shop):
    shop.run()
    shop.put(*((number, "more") for number in range(10, 20)))
    sent = [len(shop.run(limits=Limits(batch_rows=3, max_rows=5))) for _ in range(3)]
    assert sum(sent) == 10
    assert max(sent) < 10
    assert shop.equal


def test_rows_that_were_sent_and_not_saved_are_deleted_by_the_next_leg(shop):
    events, _ = run(shop.world, shop.source(), Crash("confirm", 2, "after"))
    assert {one.row["id"] for one in events} == {"1", "2", "3", "4"}
    shop.delete((4,), (1,))
    assert ("d", "4") in brief(shop.run())
    assert shop.equal


def test_a_change_of_the_key_is_a_delete_and_an_insert_with_numbers_of_their_own(shop):
    shop.run()
    shop.server.commit(("orders", "put", (9, "nine"), (1,)))
    old, new = shop.run()
    assert (old.op, old.key, new.op, new.key) == ("d", '["1"]', "c", '["9"]')
    assert new.place[1] == old.place[1] + 1


def test_pending_says_whether_a_run_would_find_something(shop):
    assert shop.source().pending(None).rows == 1
    shop.run()
    assert shop.source().pending(shop.saved) == Pending(0, None)
    shop.put((5, "five"))
    assert shop.source().pending(shop.saved) == Pending(1, (str(shop.server.at), "0"))


def test_a_log_is_not_replayed(shop):
    with pytest.raises(ConfigurationError, match='"snapshot"') as caught:
        shop.source().open(None, Span(None, ("0", "0")))
    assert "IncrementalQueryOperator" in str(caught.value)


def test_the_last_place_of_a_receipt_is_acknowledged(shop):
    shop.run()
    source = shop.source()
    source.open(shop.saved)
    source.acknowledge(("10", "25", "20"), None)
    assert shop.server.confirmed >= 25
    with pytest.raises(WatermarkError, match="receipt"):
        source.acknowledge(("a place",), None)


def test_a_run_reports_what_it_read(shop):
    shop.run()
    before = shop.saved.values[0]
    shop.put((5, "five"), (6, "six"))
    shop.run()
    report = shop.process.inner.report()
    assert (report["from"], report["to"], report["transactions"]) == (before, str(shop.server.at), 1)
    assert report["bytes"] > 0
    assert report["snapshot_left"] == []


@pytest.mark.parametrize(
    "facts",
    [
        {"tables": {"main.orders": {"state": "done", "key_columns": ["id"]}}},
        {"tables": {"main.orders": {"state": "read"}}},
        {"tables": {"main.orders": {"state": "read", "key_columns": ["id"], "gaps": [["why"]]}}},
        {"tables": []},
        {"waiting": ["1"]},
    ],
)
def test_facts_that_a_person_damaged_are_named(shop, facts):
    shop.run()
    with pytest.raises(WatermarkError, match="can't be understood"):
        shop.source().open(shop.saved._replace(facts={**shop.saved.facts, **facts}))


@pytest.mark.parametrize("values", [("10",), ("10", "x"), ("", "0"), ("10", "-1")])
def test_values_that_are_no_position_are_refused(shop, values):
    shop.run()
    with pytest.raises(WatermarkError, match="no position in a log"):
        shop.source().open(shop.saved._replace(values=values))


def test_facts_of_an_older_version_are_filled_in(shop):
    shop.run()
    facts = {"tables": {"main.orders": {"state": "read", "key_columns": ["id"]}}}
    assert shop.source().open(shop.saved._replace(facts={"kind": "log", **facts})).horizon.target is not None


def test_changes_that_are_not_sent_cost_no_save_each(shop):
    shop.run(tables=["main.names"])
    shop.server.members.add("orders")
    for number in range(20):
        shop.put((number, "more"))
    before = len(shop.world.saved)
    assert len(shop.run()) == 20
    assert len(shop.world.saved) - before < 12
