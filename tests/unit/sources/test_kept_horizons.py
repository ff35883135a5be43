"""A horizon that is kept with a watermark: when it is refused, and when it no longer holds."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.sources.query.resets import Resets
from airflow_legacy_events.sources.query.standing import TableResetError
from tests.support.horizons import SECOND, START, Below

TIMES = {"watermark_columns": ("at",), "null_watermark": "skip"}


@pytest.mark.parametrize(
    "fact",
    [
        [],
        "x",
        {"mark": 3},
        {"mark": ["3"]},
        {"mark": ["3"], "open": ["t1"], "server": {}},
        {"mark": ["3"], "open": [1], "server": {}, "since": START.isoformat()},
        {"mark": ["3"], "open": ["t1"], "server": [], "since": START.isoformat()},
        {"mark": ["3"], "open": ["t1"], "server": {}, "since": "2026-01-01"},
        {"mark": "2026-01-01T12:00:00", "open": ["t1"], "server": {}, "since": START.isoformat()},
        {"drained": [3]},
        {"drained": "yesterday"},
    ],
)
def test_a_horizon_that_a_person_has_damaged_is_refused_by_name(shop, stream, fact):
    shop.sell()
    stream.run()
    stream.edit(horizon=fact)
    shop.sell()
    with pytest.raises(WatermarkError, match="holds a fact 'horizon' that can't be understood"):
        stream.run()


def test_a_mark_that_is_no_value_of_its_column_is_refused(shop, stream):
    shop.sell()
    stream.run()
    stream.edit(horizon={"drained": ["secret"]})
    shop.write_rows()
    shop.sell()
    with pytest.raises(WatermarkError, match=r"column 'id' that is not a value of its type") as refused:
        stream.run()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("fact", [{"drained": START.isoformat()}, {"drained": ["1", "2"]}])
def test_a_mark_of_other_columns_is_left_out(shop, stream, fact):
    shop.sell()
    stream.run()
    stream.edit(horizon=fact)
    shop.sell()
    assert stream.run() == [2]
    assert stream.horizon is None


def test_transactions_that_the_server_does_not_know_are_not_waited_for(shop, stream):
    shop.sell()
    stream.run()
    shop.write_rows()
    shop.sell()
    stream.run()
    shop.server = "another"
    with pytest.raises(WatermarkError, match="the stored horizon is of another server"):
        stream.run()


def test_what_was_final_on_another_server_need_not_be_on_this_one(shop, stream):
    shop.sell(4)
    stream.run(max_rows=2)
    mark = stream.mark
    stream.edit(server={**mark.facts["server"], "application_id": "7"})
    shop.write_rows()
    shop.sell()
    source = stream.source()
    try:
        runs = source._runs(source.check(), *source._resolve(source.check()))
        assert runs._drain(runs.rows, mark).kept.drained == ("4",)
        assert runs._drain(runs.rows, stream.mark).kept.drained is None
    finally:
        source.database.close()


def test_a_query_that_changed_has_other_writers(shop, stream):
    shop.sell()
    stream.run()
    stream.edit(horizon={"drained": ["9"]}, query="another")
    stream.options |= {"on_query_change": "keep"}
    shop.next_id = 4
    shop.write_rows()
    shop.sell()
    assert stream.run() == []
    assert "drained" not in stream.horizon


def test_a_table_that_was_set_back_has_a_horizon_of_its_own(shop, stream):
    shop.sell(9)
    stream.run(max_rows=8)
    assert stream.horizon == {"drained": ["9"]}
    shop.connection.execute("DELETE FROM t")
    shop.connection.execute("UPDATE sqlite_sequence SET seq = 2")
    shop.next_id = 3
    shop.sell()
    stream.options |= {"on_reset": "keep"}
    assert stream.run() == []
    assert stream.report.table_reset["action"] == "keep"
    assert stream.horizon is None


def test_a_table_that_was_filled_again_beyond_its_watermark_has_transactions_of_its_own(shop, stream):
    shop.sell(12)
    stream.run(max_rows=8)
    shop.connection.execute("DELETE FROM t")
    shop.next_id = 9
    slow = shop.write_rows()
    shop.sell()
    assert stream.run() == []
    shop.commit(slow)
    assert stream.run() == [9, 10]


def test_what_is_kept_above_a_watermark_after_a_reset_is_not_its_horizon():
    at = Watermark(("8",), None, {"horizon": {"drained": ["9"]}, "last": ["x"]})
    resets = Resets("s", "table 't'", "keep", logging.getLogger())
    assert resets.decide(at, TableResetError("it is empty", None)).at == at._replace(facts={"last": ["x"]})


@pytest.mark.parametrize("fact", ["mark", "drained"])
@pytest.mark.parametrize(("ahead", "refused"), [(59, False), (61, True)])
def test_a_mark_ahead_of_the_clock_is_refused(shop, fact, ahead, refused):
    stream = Below(shop, TIMES)
    shop.sell()
    shop.now += SECOND
    stream.run()
    shop.sell()
    shop.now += SECOND
    moment = (shop.now + ahead * SECOND).isoformat()
    other = {"open": [], "server": {"id": "one"}, "since": START.isoformat()} if fact == "mark" else {}
    stream.edit(horizon={fact: moment, **other})
    if not refused:
        assert stream.run() == [2]
        return
    said = (
        r"the horizon of stream 'crm.outbox@t' is 2026-01-01 12:01:03 in UTC, and the database's clock shows 2026-01-01"
        r" 12:00:02: .* nothing was read\. Correct the database's clock; or read again .*`airflow legacy-events"
        r" watermark rewind crm\.outbox@t --to TIME`"
    )
    with pytest.raises(WatermarkError, match=said):
        stream.run()


@pytest.mark.parametrize(
    ("zone", "now", "refused"),
    [
        ("Europe/Berlin", dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), False),
        ("Europe/Berlin", dt.datetime(2026, 10, 20, 0, 30, tzinfo=dt.UTC), True),
        ("UTC", dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), True),
    ],
)
def test_a_mark_is_not_compared_while_the_local_clock_changes(shop, zone, now, refused):
    stream = Below(shop, {**TIMES, "source_timezone": zone})
    shop.sell()
    shop.now += 9 * 3600 * SECOND
    assert stream.run() == [1]
    shop.now = now
    shop.connection.execute("INSERT INTO t VALUES (2, '2026-10-02 00:00:00.000000', 1)")
    stream.edit(horizon={"drained": (now + 120 * SECOND).isoformat()})
    if refused:
        with pytest.raises(WatermarkError, match="the horizon of stream"):
            stream.run()
    else:
        assert stream.run() == [2]


def test_a_clock_that_went_back_a_little_takes_away_what_was_final(shop):
    stream = Below(shop, {**TIMES, "null_watermark": "skip"})
    shop.sell()
    shop.now += SECOND
    assert stream.run() == [1]
    stream.edit(horizon={"drained": (shop.now + 30 * SECOND).isoformat()})
    shop.timed_set = True
    shop.write_rows()
    shop.now += SECOND
    shop.sell()
    shop.now += SECOND
    assert stream.run() == []
    assert stream.horizon["mark"] == shop.now.isoformat()
    assert "drained" not in stream.horizon
