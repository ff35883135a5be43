"""An outbox whose rows stay as they are: what is published, in which order, and what is refused, on every database."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, WatermarkError
from airflow_legacy_events.core.model import Watermark, Window
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.outbox import STREAM, Drain
from tests.support.outbox_tables import MOMENT, create, insert, left
from tests.support.readers import ENGINES as READING
from tests.support.readers import connecting

TOPIC = "outbox.event.order"
KEEP = {"after_publish": "keep", "source_timezone": "UTC"}
DELETING = [name for name in EACH if name != "mysql-5.6"]
WEEK = dt.timedelta(days=7)
TEXT = {"postgresql": "uuid PRIMARY KEY", "sqlite": "text NOT NULL PRIMARY KEY"}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def keeping(legacy, broker=None, **arguments):
    """A drain that leaves the rows."""
    return Drain(legacy.url, broker or MemoryBroker(), arguments={**KEEP, **arguments})


def sent(drain):
    """The ids on the topic."""
    return [dict(one.headers)["id"].strip() for one in drain.broker.topic(TOPIC)]


def day(number):
    return f"2024-11-{number:02} 08:00:00"


def dated(legacy, *numbers):
    """Rows of November, the first id on the last of the days."""
    insert(legacy, *({"id": at, "created_at": day(number)} for at, number in enumerate(numbers, 1)))


def test_rows_come_by_time_and_id_once_each_and_stay(legacy):
    create(legacy)
    dated(legacy, 3, 1, 2, 1)
    drain = keeping(legacy)

    report = drain.run(batch_rows=3)

    assert sent(drain) == ["2", "4", "3", "1"]
    assert [one.value for one in drain.broker.topic(TOPIC)] == [f'{{"n": {at}}}' for at in (1, 3, 2, 0)]
    assert (report.rows, report.events, report.target_reached, report.backlog["rows"]) == (4, 4, True, 0)
    assert report.completeness in ("bounded", "best_effort")
    assert report.watermark_to[1] == "1"
    insert(legacy, {"id": 9, "created_at": day(4)})
    assert (drain.run().rows, drain.run().rows) == (1, 0)
    assert sent(drain)[4:] == ["9"]
    assert left(legacy) == [1, 2, 3, 4, 9]


def test_without_a_timestamp_rows_come_by_id(legacy):
    create(legacy, at=None)
    insert(legacy, {"id": 7}, {"id": 3})
    drain = keeping(legacy)

    assert drain.run().watermark_to == ["7"]
    insert(legacy, {"id": 8})
    assert drain.run().rows == 1
    assert sent(drain) == ["3", "7", "8"]


def test_ids_without_an_order_follow_their_time_and_a_tie_of_an_aggregate_is_warned_of(legacy, caplog):
    create(legacy, number=TEXT.get(legacy.dialect, "char(36) PRIMARY KEY"))
    ids = [str(uuid.UUID(int=9 - at)) for at in range(4)]
    insert(legacy, *({"id": one, "created_at": day(1 + at), "aggregateid": "a"} for at, one in enumerate(ids)))
    drain = keeping(legacy)

    drain.run(batch_rows=2)
    assert sent(drain) == ids
    assert "same time and unordered ids" not in caplog.text
    for number in (50, 60):
        insert(legacy, {"id": str(uuid.UUID(int=number)), "created_at": day(9), "aggregateid": "a"})
    assert drain.run().rows == 2
    assert "same time and unordered ids" in caplog.text


def test_a_budget_ends_a_run_and_what_is_above_the_watermark_is_the_backlog(legacy):
    create(legacy)
    dated(legacy, *range(1, 8))
    drain = keeping(legacy)

    report = drain.run(batch_rows=2, max_rows=3)

    assert (report.rows, report.target_reached, report.backlog["rows"], report.rows_left) == (3, False, 4, 4)
    assert report.backlog["oldest_seconds"] is not None
    assert drain.run().rows == 4
    assert sent(drain) == [str(one) for one in range(1, 8)]


def test_old_rows_are_deleted_below_the_watermark_alone(legacy):
    create(legacy)
    dated(legacy, *range(1, 8))
    insert(legacy, {"id": 20, "created_at": "2024-11-30 00:00:00"})
    drain = keeping(legacy, retention=dt.timedelta(hours=1))

    drain.run(batch_rows=2, max_rows=3)
    assert left(legacy) == [3, 4, 5, 6, 7, 20], "the row at the watermark stays, by which it is known again"
    drain.run()

    assert left(legacy) == [20]
    assert sent(drain) == [*map(str, range(1, 8)), "20"]
    assert drain.run().completeness_reason.count("gone") == 0


def test_young_rows_are_not_deleted(legacy):
    create(legacy)
    dated(legacy, 1, 2, 3)
    keeping(legacy, retention=dt.timedelta(days=365_000 // 10)).run()
    assert left(legacy) == [1, 2, 3]


def test_a_condition_selects_rows_and_can_t_change_unseen(legacy):
    create(legacy)
    dated(legacy, 1, 2, 3)
    insert(legacy, {"id": 8, "created_at": day(4), "type": "other"})
    drain = keeping(legacy, where="type = 'other'", retention=dt.timedelta(hours=1))

    assert drain.run().rows == 1
    assert sent(drain) == ["8"]
    assert left(legacy) == [1, 2, 3, 8]
    drain.arguments = {**KEEP, "where": "type = 'made'"}
    with pytest.raises(WatermarkError, match=r"written for where .*--accept where"):
        drain.run()


def test_a_window_of_the_timestamp_is_sent_again(legacy):
    create(legacy)
    dated(legacy, 3, 1, 2)
    drain = keeping(legacy)
    drain.run()
    window = Window(None, "2024-11-01T00:00:00+00:00", "2024-11-03T00:00:00+00:00")
    database = drain.database()
    try:
        batches = drain.source(database).open(None, window).batches
        assert [int(row[0]) for batch in batches for row in batch.rows] == [2, 3]
    finally:
        database.close()


def test_a_row_that_can_t_be_sent_ends_the_run_at_its_batch(legacy):
    create(legacy)
    dated(legacy, 1, 2, 3, 4)
    legacy.execute("UPDATE outbox SET aggregateid = NULL WHERE id = 3")
    drain = keeping(legacy)

    with pytest.raises(DeliveryError, match="the watermark stays below them: fix the row"):
        drain.run(batch_rows=2)
    assert drain.store.load(STREAM).values[1] == "2"
    legacy.execute("UPDATE outbox SET aggregateid = 'a' WHERE id = 3")
    drain.run(batch_rows=2)
    assert sent(drain) == ["1", "2", "4", "3", "4"]


def test_a_row_that_can_t_be_sent_goes_to_the_dead_letters_and_the_others_follow(legacy):
    create(legacy)
    dated(legacy, 1, 2, 3)
    legacy.execute("UPDATE outbox SET aggregateid = NULL WHERE id = 2")
    drain = keeping(legacy, retention=dt.timedelta(hours=1))
    drain.dead_letter_topic = "dead"

    report = drain.run()
    assert (report.rows, report.events, report.rejected) == (3, 2, 1)
    assert (sent(drain), len(drain.broker.topic("dead"))) == (["1", "3"], 1)
    assert left(legacy) == [3]


@pytest.mark.parametrize("legacy", DELETING, indirect=True)
def test_a_drain_that_deleted_may_keep_from_now_on_and_one_that_marked_may_not(legacy):
    create(legacy, f"published_at {MOMENT[legacy.dialect]}")
    dated(legacy, 2, 1)
    drain = keeping(legacy)
    drain.arguments = {"after_publish": "delete"}
    drain.run()
    insert(legacy, {"id": 5, "created_at": day(1)})

    drain.arguments = KEEP
    drain.run()
    assert sent(drain)[-1] == "5"
    for mode in ("delete", "mark"):
        drain.arguments = {"after_publish": mode}
        with pytest.raises(WatermarkError, match="after_publish='keep', this run has"):
            drain.run()

    drain = keeping(legacy)
    drain.arguments = {"after_publish": "mark"}
    drain.run()
    drain.arguments = KEEP
    with pytest.raises(WatermarkError, match="was drained with after_publish='mark'"):
        drain.run()


def test_a_table_that_is_emptied_goes_on_and_one_whose_ids_begin_again_is_named(legacy):
    create(legacy, at=None)
    insert(legacy, *({"id": one} for one in (1, 2, 3)))
    drain = keeping(legacy)
    drain.run()
    legacy.execute("DELETE FROM outbox WHERE id < 3")
    assert drain.run().rows == 0
    insert(legacy, {"id": 4})
    assert drain.run().rows == 1

    legacy.execute("DELETE FROM outbox")
    legacy.execute("DROP TABLE outbox")
    create(legacy, at=None)
    insert(legacy, {"id": 1, "payload": "[]"})
    with pytest.raises(WatermarkError, match=r"was set back below the watermark(.|\n)*forget"):
        drain.run()


def test_old_rows_that_others_refer_to_are_refused_before_the_first_read(legacy):
    create(legacy)
    dated(legacy, 1)
    legacy.execute("CREATE TABLE note (id integer PRIMARY KEY, ref bigint, FOREIGN KEY (ref) REFERENCES outbox (id))")
    try:
        with pytest.raises(ConfigurationError, match="can't delete rows of table 'outbox' that others refer"):
            keeping(legacy, retention=WEEK).run()
    finally:
        legacy.execute("DROP TABLE note")


@pytest.mark.parametrize("legacy", READING, indirect=True)
def test_keeping_needs_no_right_to_write_and_deleting_old_rows_does(legacy):
    create(legacy)
    dated(legacy, 1)
    with connecting(legacy) as reader:
        reader.may(["GRANT SELECT ON outbox TO reader"])
        drain = Drain(reader.url, MemoryBroker(), arguments=KEEP)
        assert drain.run().rows == 1
        drain.arguments = {**KEEP, "retention": WEEK}
        with pytest.raises(ConfigurationError, match="the DELETE of old rows of table 'outbox' is refused"):
            drain.run()


MISUSES = [
    ({"where": "created_at <= current_timestamp"}, "where= reads the clock"),
    ({"retention": WEEK, "columns": {"timestamp": None}}, "retention= was given, but no timestamp"),
    ({"columns": {"timestamp": "nothing"}}, "has no column for"),
    ({"order_columns": ("nothing",)}, "has no column 'nothing'"),
    ({"source_timezone": "Nowhere/Else"}, "time zone"),
]


@pytest.mark.parametrize(("arguments", "told"), MISUSES)
def test_each_misuse_is_one_clear_error_before_the_first_read(legacy, arguments, told):
    create(legacy)
    dated(legacy, 1)
    drain = keeping(legacy, **arguments)
    with pytest.raises(ConfigurationError, match=told):
        drain.run()
    assert drain.broker.topic(TOPIC) == []


def test_a_row_without_a_timestamp_is_refused_before_anything_is_sent(legacy):
    create(legacy)
    dated(legacy, 1, 2)
    insert(legacy, {"id": 7})
    drain = keeping(legacy)
    with pytest.raises(ConfigurationError, match=r"'created_at' of table 'outbox' .* NULL .*order_columns="):
        drain.run()
    assert drain.broker.topic(TOPIC) == []


def test_another_order_is_another_position(legacy):
    create(legacy)
    dated(legacy, 1, 2)
    drain = keeping(legacy)
    drain.run()
    drain.arguments = {**KEEP, "order_columns": ("id",)}
    with pytest.raises(WatermarkError, match=r"watermark_columns .*restore order_columns="):
        drain.run()


def test_a_position_that_a_person_set_is_where_it_begins(legacy):
    create(legacy)
    dated(legacy, 1, 2, 3)
    drain = keeping(legacy, retention=dt.timedelta(hours=1))
    at = (day(2),) if legacy.dialect != "postgresql" else (f"{day(2)}+00",)
    drain.store.save(STREAM, Watermark(at, None, {"included": True}), expected=None)

    assert drain.run().rows == 2
    assert sent(drain) == ["2", "3"]
