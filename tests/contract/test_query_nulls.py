"""Rows whose watermark is NULL: failed on, left out, sent once, sent always."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.streams import Deliveries

POLICIES = ("skip", "first_run_only", "always")


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp, seq integer, body text)")
        yield found


@pytest.fixture
def rows(legacy):
    """Three rows with a time, three without; the ids are mixed."""
    for number, moment in (
        (1, None),
        (2, "'2026-01-02'"),
        (3, None),
        (4, "'2026-01-01'"),
        (5, None),
        (6, "'2026-01-03'"),
    ):
        legacy.execute(f"INSERT INTO t VALUES ({number}, {moment or 'NULL'}, 1, 'b')")
    return legacy


class Stream:
    """Runs of a stream that save after every batch."""

    def __init__(self, legacy, **options):
        self.legacy, self.after, self.events = legacy, None, []
        self.options = {"watermark_columns": ("at",), **options}

    def run(self, batches=None, **more):
        """Deliver so many batches, None: all; return their ids."""
        ids = []
        with self.legacy.source(**{**self.options, **more}) as source:
            self.horizon, reading = source.open(self.after)
            for number, batch in enumerate(reading):
                if number == batches:
                    break
                ids += [int(row[0]) for row in batch.rows]
                self.events += [(int(row[0]), batch.op, batch.counter) for row in batch.rows]
                self.after = batch.after._replace(facts={**self.horizon.facts, **batch.after.facts})
                self.final = batch.final
        return ids


def test_by_default_a_null_fails_before_reading_and_the_error_names_the_ways_out(rows):
    with pytest.raises(ConfigurationError, match=r"'at' .* is NULL .* null_watermark= .*'skip', 'first_run_only'"):
        Stream(rows).run()


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_skipped_rows_are_never_sent_until_they_have_a_time(rows, batch_rows):
    stream = Stream(rows, null_watermark="skip", batch_rows=batch_rows)
    assert stream.run() == [4, 2, 6]
    rows.execute("INSERT INTO t VALUES (7, NULL, 1, 'b')")
    assert stream.run() == []
    rows.execute("UPDATE t SET at = '2026-01-04' WHERE id = 3")
    assert stream.run() == [3]
    assert "are left out (null_watermark='skip')" in stream.horizon.reason


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_in_the_first_run_only_they_come_once_behind_the_others_in_key_order(rows, batch_rows):
    stream = Stream(rows, null_watermark="first_run_only", batch_rows=batch_rows)
    assert stream.run() == [4, 2, 6, 1, 3, 5]
    assert stream.final
    assert stream.events[2:] == [(6, "u", 0), (1, "r", 1), (3, "r", 1), (5, "r", 1)]
    rows.execute("INSERT INTO t VALUES (7, NULL, 1, 'b'), (8, '2026-01-04', 1, 'b')")
    assert stream.run() == [8]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_always_they_come_behind_the_others_with_every_run(rows, batch_rows):
    stream = Stream(rows, null_watermark="always", batch_rows=batch_rows)
    assert stream.run() == [4, 2, 6, 1, 3, 5]
    rows.execute("INSERT INTO t VALUES (0, NULL, 1, 'b'), (8, '2026-01-04', 1, 'b')")
    assert stream.run() == [8, 0, 1, 3, 5]
    assert stream.run() == [0, 1, 3, 5]
    assert [counter for _, op, counter in stream.events if op == "r"] == [1] * 3 + [2] * 4 + [3] * 4
    rows.execute("DELETE FROM t WHERE at IS NULL")
    assert stream.run() == []
    assert stream.after.values[0].startswith("2026-01-04")


@pytest.mark.parametrize("policy", ["first_run_only", "always"])
def test_after_a_crash_at_any_batch_the_next_run_goes_on_and_keeps_the_number_of_the_pass(rows, policy):
    for crash in range(6):
        rows.execute("DELETE FROM t WHERE id = 9")
        stream = Stream(rows, null_watermark=policy, batch_rows=1)
        done = stream.run(batches=crash)
        rows.execute("INSERT INTO t VALUES (9, '2026-01-09', 1, 'b')")
        rest = stream.run()
        assert [one for one in [*done, *rest] if one in (4, 2, 6)] == [4, 2, 6]
        assert sorted([*done, *rest]) == [1, 2, 3, 4, 5, 6, 9]
        assert {counter for _, op, counter in stream.events if op == "r"} == {1}


@pytest.mark.parametrize("policy", ["first_run_only", "always"])
def test_max_rows_counts_both_and_the_next_run_goes_on(rows, policy):
    stream = Stream(rows, null_watermark=policy, max_rows=4, batch_rows=3)
    assert stream.run() == [4, 2, 6, 1]
    assert not stream.final
    assert stream.run() == [3, 5]
    assert stream.final


def test_a_run_that_ends_at_the_border_has_not_reached_its_target(rows):
    stream = Stream(rows, null_watermark="first_run_only", max_rows=3)
    assert stream.run() == [4, 2, 6]
    assert not stream.final
    assert stream.run() == [1, 3, 5]
    assert stream.final
    assert stream.run() == []


@pytest.mark.parametrize("policy", POLICIES)
def test_a_null_in_any_watermark_column_counts(legacy, policy):
    legacy.execute("INSERT INTO t VALUES (1, '2026-01-01', NULL, 'b'), (2, '2026-01-01', 2, 'b'), (3, NULL, 1, 'b')")
    legacy.execute("INSERT INTO t VALUES (4, NULL, NULL, 'b'), (5, '2026-01-02', 1, 'b')")
    stream = Stream(legacy, null_watermark=policy, watermark_columns=("at", "seq"), batch_rows=2)
    assert stream.run() == ([2, 5] if policy == "skip" else [2, 5, 1, 3, 4])


@pytest.mark.parametrize("policy", POLICIES)
def test_a_null_in_the_key_still_fails_before_reading(rows, policy):
    for moment in ("'2026-01-05'", "NULL"):
        rows.execute(f"INSERT INTO t VALUES (7, {moment}, 1, NULL)")
        if policy == "skip" and moment == "NULL":
            continue
        with pytest.raises(ConfigurationError, match=r"'body' .* is NULL .* WHERE body IS NOT NULL"):
            Stream(rows, null_watermark=policy, key_columns=("body", "id")).run()
        rows.execute("DELETE FROM t WHERE id = 7")


def test_first_run_now_leaves_them_out(rows):
    stream = Stream(rows, null_watermark="first_run_only", first_run="now")
    assert stream.run() == []
    assert stream.run() == []


def test_a_column_that_allows_no_null_needs_no_policy(legacy):
    legacy.execute("CREATE TABLE n (id integer PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("INSERT INTO n VALUES (1, 1)")
    stream = Stream(legacy, null_watermark="always", table="n")
    assert (stream.run(), stream.run()) == ([1], [])
    assert "nulls" not in stream.after.facts


def test_a_table_of_nulls_only_ends_with_a_watermark_at_the_beginning(legacy):
    legacy.execute("INSERT INTO t VALUES (1, NULL, 1, 'b')")
    stream = Stream(legacy, null_watermark="first_run_only")
    assert stream.run() == [1]
    assert stream.after.values == ()
    legacy.execute("INSERT INTO t VALUES (2, '2026-01-01', 1, 'b')")
    assert stream.run() == [2]


def test_a_pass_ends_though_rows_arrive_behind_it(rows):
    with rows.source(watermark_columns=("at",), null_watermark="always", batch_rows=1) as source:
        opened = source.open(Watermark(("2026-01-03 00:00:00", "6"), None, {}))
        ids = []
        for batch in opened.batches:
            ids += [int(row[0]) for row in batch.rows]
            rows.execute(f"INSERT INTO t VALUES ({100 + len(ids)}, NULL, 1, 'b')")
    assert ids == [1, 3, 5]


def test_ids_of_a_pass_are_the_same_when_it_is_repeated_and_others_in_the_next(rows):
    broker = MemoryBroker()
    stream = Deliveries(
        url=rows.url.render_as_string(hide_password=False),
        broker=broker,
        topic="topic",
        table="t",
        options={"watermark_columns": ("at",), "null_watermark": "always"},
    )
    report = stream.run()
    assert (report.rows, report.events, report.skipped, report.target_reached) == (6, 6, 0, True)
    stream.run()
    sent = [json.loads(message.value) for message in broker.topic("topic")]
    nulls = [event for event in sent if event["data"]["at"] is None]
    assert [event["op"] for event in nulls] == ["r"] * 6
    assert all("time" not in event for event in nulls)
    first, second = [event["id"] for event in nulls[:3]], [event["id"] for event in nulls[3:]]
    assert [one.rsplit(":", 1)[0] for one in first] == [one.rsplit(":", 1)[0] for one in second]
    assert ({one.rsplit(":", 1)[1] for one in first}, {one.rsplit(":", 1)[1] for one in second}) == ({"1"}, {"2"})


@pytest.mark.parametrize("policy", ["skip", "always"])
def test_a_part_of_a_position_that_nothing_follows_is_kept_as_one_that_is_still_included(rows, policy):
    stream = Stream(rows, null_watermark=policy)
    stream.run()
    rows.execute("DELETE FROM t WHERE at IS NOT NULL")
    stream.after = stream.after._replace(values=stream.after.values[:1])

    ids = stream.run(on_query_change="keep", exclude_columns=("body",))

    assert sorted(ids) == ([] if policy == "skip" else [1, 3, 5])
    assert (len(stream.after.values), stream.after.facts["included"]) == (1, True)
