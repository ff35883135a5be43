"""A replay into the topic of its live stream never leaves an older version as the last message of a key."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.model import Span, Window
from airflow_legacy_events.sources import overtaken, rows
from tests.support.beside_live import DAY, TOPIC, Beside
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database

each_database = pytest.mark.parametrize("legacy", EACH, indirect=True)


@pytest.fixture
def legacy(request):
    """SQLite, where a test does not name others: what is not asked of a database is the same for all."""
    with reused_database(request, getattr(request, "param", "sqlite")) as found:
        yield found


@pytest.fixture
def table(legacy):
    """Six rows of one day, by the hour, in batches of three."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL, body text, extra text)")
    for number in range(1, 7):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '2026-01-01 0{number}:00:00', 'old', 'x')")
    return legacy


def update(number, body, at="2026-01-03 00:00:00"):
    return f"UPDATE t SET body = '{body}', at = '{at}' WHERE id = {number}"


def once(*numbered):
    """What is done before the batches with these numbers."""
    steps = dict(numbered)
    return lambda number: steps.get(number, lambda: None)()


@each_database
def test_rows_that_change_behind_a_page_are_sent_again_as_they_are_now(table):
    beside = Beside(table)
    beside.live()

    report = beside.replay(
        once(
            (1, lambda: beside.change(update(2, "moved away"), update(3, "moved inside", "2026-01-01 03:30:00.5"))),
            (2, lambda: beside.change(update(6, "of a page to come"))),
        )
    )

    assert beside.last() == beside.remembered() == beside.table()
    assert {event["op"] for event in beside.events[6:]} == {"u", "r"}
    assert report.rows == report.events
    assert report.target_reached


@each_database
def test_rows_that_stay_where_they_were_and_rows_that_come_between_them(table):
    beside = Beside(table)
    beside.live()
    between = [f"INSERT INTO t VALUES ({number}, '2026-01-01 02:00:00', 'between', 'x')" for number in range(10, 14)]

    beside.replay(
        once((1, lambda: beside.change(*between, update(1, "in place", "2026-01-01 01:00:00"), update(3, "x"))))
    )

    came = {str(number) for number in range(10, 14)}
    assert {key: body for key, body in beside.table().items() if key not in came} == beside.last()


def test_it_goes_on_until_nothing_has_changed(table):
    beside = Beside(table)
    beside.live()
    changes = [lambda n=n: beside.change(update(2, f"version {n}", f"2026-01-03 00:00:0{n}")) for n in range(4)]

    beside.replay(once(*enumerate(changes, 1)))

    assert beside.last() == beside.remembered() == beside.table()
    assert beside.last()["2"] == "version 3"


def test_a_version_that_comes_back_under_one_time_is_not_taken_for_one_that_is_known(table):
    beside = Beside(table)
    beside.live()
    at = "2026-01-03 00:00:00"

    beside.replay(
        once(
            (1, lambda: beside.change(update(2, "a", at))),
            (2, lambda: beside.change(update(2, "b", at))),
            (3, lambda: beside.change(update(2, "a", at))),
        )
    )

    assert beside.last() == beside.remembered() == beside.table()


def test_a_version_that_only_the_replay_saw_is_followed_by_the_newest_for_who_remembers_ids_too(table):
    beside = Beside(table)
    beside.live()
    table.execute(update(2, "seen by the replay alone", "2026-01-01 02:30:00"))

    beside.replay(once((1, lambda: beside.change(update(2, "new")))))

    assert "seen by the replay alone" in [event["data"]["body"] for event in beside.events]
    assert beside.last() == beside.remembered() == beside.table()


@each_database
def test_a_row_that_is_deleted_is_not_sent_and_one_that_is_inserted_anew_is(table):
    beside = Beside(table)
    beside.live()

    report = beside.replay(
        once(
            (
                1,
                lambda: beside.change(
                    "DELETE FROM t WHERE id IN (1, 2)", "INSERT INTO t VALUES (2, '2026-01-03 00:00:00', 'again', 'x')"
                ),
            )
        )
    )

    assert report.events == 6 + 1
    assert {**beside.table(), "1": "old"} == beside.last()


def test_what_is_not_read_is_no_change(table):
    beside = Beside(table, exclude_columns=("extra",))
    beside.live()

    report = beside.replay(lambda _: table.execute("UPDATE t SET extra = 'y'"))

    assert report.events == 6


def test_where_nothing_changes_nothing_is_sent_twice(table):
    beside = Beside(table)
    beside.live()

    report = beside.replay(lambda _: None)

    assert (report.events, report.batches, report.target_reached) == (6, 2, True)
    assert report.watermark_to == ["2026-01-01 06:00:00", "6"] or report.watermark_to[1] == "6"
    assert [event["id"] for event in beside.events[6:]] == [event["id"] for event in beside.events[:6]]


def test_another_topic_needs_none_of_it(table):
    beside = Beside(table)
    beside.live()

    report = beside.replay(lambda _: beside.change(update(2, "new")), beside_live=False)

    assert report.events == 6
    assert beside.last()["2"] == "old"


def test_a_run_that_is_repeated_after_a_clear_does_the_same(table):
    beside = Beside(table)
    beside.live()
    span = Span(None, ("2026-01-01 06:00:00", "6"))

    beside.replay(once((1, lambda: beside.change(update(2, "new")))), span, mode="rerun")

    assert beside.last() == beside.remembered() == beside.table()


@each_database
def test_replays_side_by_side_do_not_overtake_each_other(table):
    beside = Beside(table)
    beside.live()
    morning = Window("at", DAY.low, "2026-01-01T04:00:00+00:00")
    evening = Window("at", morning.high, DAY.high)

    def moved():
        table.execute(update(2, "in the evening", "2026-01-01 20:00:00"))
        beside.replay(lambda _: None, evening, name="evening")

    beside.replay(once((1, moved)), morning, name="morning")

    assert beside.last() == beside.table()
    assert beside.last()["2"] == "in the evening"


@each_database
def test_a_key_of_several_columns(legacy):
    legacy.execute(
        "CREATE TABLE t (tenant varchar(9) NOT NULL, number integer NOT NULL, at timestamp NOT NULL, body text,"
        " PRIMARY KEY (tenant, number))"
    )
    for number in range(6):
        legacy.execute(f"INSERT INTO t VALUES ('{'a,b'[: 1 + number % 3]}', {number}, '2026-01-01 00:00:00', 'old')")
    beside = Beside(legacy)
    beside.live()

    change = "UPDATE t SET body = 'new', at = '2026-01-03 00:00:00' WHERE number IN (1, 4)"
    report = beside.replay(once((1, lambda: beside.change(change))), batch_rows=10)

    assert report.events == 6 + 2
    assert sorted(beside.last("number").values()) == [0, 1, 2, 3, 4, 5]
    newest = {event["data"]["number"]: event["data"]["body"] for event in beside.events}
    assert newest == dict(legacy.execute("SELECT number, body FROM t"))


@each_database
def test_keys_of_text_whatever_their_collation(legacy):
    legacy.execute("CREATE TABLE t (code varchar(20) NOT NULL PRIMARY KEY, at timestamp NOT NULL, body text)")
    codes = ["Straße", "it''s", "a\\b" if legacy.dialect != "mysql" else "a\\\\b", "%", "Öl", "5e3"]
    for code in codes:
        legacy.execute(f"INSERT INTO t VALUES ('{code}', '2026-01-01 00:00:00', 'old')")
    beside = Beside(legacy)
    beside.live()

    beside.replay(
        once((1, lambda: beside.change("UPDATE t SET body = 'new', at = '2026-01-03 00:00:00'"))), batch_rows=10
    )

    assert beside.last() == beside.table("code")
    assert set(beside.last().values()) == {"new"}


@pytest.mark.parametrize("legacy", of("mysql"), indirect=True)
def test_a_key_that_is_spelled_otherwise_is_another_key(legacy):
    legacy.execute(
        "CREATE TABLE t (code varchar(20) NOT NULL PRIMARY KEY, at timestamp NOT NULL, body text)"
        " CHARACTER SET utf8 COLLATE utf8_general_ci"
    )
    legacy.execute("INSERT INTO t VALUES ('a', '2026-01-01 00:00:00', 'old'), ('b', '2026-01-01 00:00:00', 'old')")
    beside = Beside(legacy)
    beside.live()

    report = beside.replay(
        once((1, lambda: beside.change("UPDATE t SET code = 'A', at = '2026-01-03 00:00:00' WHERE code = 'a'")))
    )

    assert report.events == 2
    assert beside.last() == {"a": "old", "A": "old", "b": "old"}


def test_dead_letters(table):
    beside = Beside(table, limits={TOPIC: 480})
    table.execute(update(1, "w" * 290, "2026-01-01 01:00:00"))
    beside.live()

    report = beside.replay(
        once((1, lambda: beside.change(update(1, "narrow"), update(2, "w" * 290), update(3, "new"))))
    )

    assert beside.last() == {**beside.table(), "2": "old"}
    assert (report.events, report.rejected) == (5 + 2, 1 + 1)
    assert len(beside.broker.topic("dead")) == 2 + 2


@each_database
def test_a_query(table):
    beside = Beside(table, sql=table.spelled("SELECT id, at, body FROM t WHERE extra = 'x'"), key_columns=("id",))
    beside.stream.table = None
    beside.live()

    beside.replay(
        once((1, lambda: beside.change(update(2, "new"), "UPDATE t SET extra = 'y', body = 'gone' WHERE id = 3")))
    )

    assert beside.last() == {**beside.table(), "3": "old"}


def test_a_key_that_rows_share_is_told(table, caplog):
    beside = Beside(table, key_columns=("extra",), watermark_columns=("at", "id"))
    beside.live()

    with caplog.at_level(logging.WARNING):
        report = beside.replay(lambda _: None)

    assert report.events == 6
    assert caplog.text.count("share values of the key extra, so the newest row of a key can't be determined") == 1


def test_a_row_that_never_rests_ends_no_replay(table, caplog, monkeypatch):
    monkeypatch.setattr(overtaken, "LOOKS", 4)
    beside = Beside(table)
    beside.live()

    with caplog.at_level(logging.WARNING):
        report = beside.replay(lambda n: beside.change(update(2, f"version {n}", f"2026-01-03 00:00:0{n}")))

    assert report.target_reached
    assert "1 rows of table 't' were changed again before each of 4 checks" in caplog.text
    beside.live()
    assert beside.last() == beside.table()


def test_a_page_of_more_keys_than_one_statement_takes(table, monkeypatch):
    monkeypatch.setattr(overtaken, "_KEYS", 2)
    beside = Beside(table)
    beside.live()

    report = beside.replay(once((1, lambda: beside.change(update(1, "new"), update(6, "new")))), batch_rows=10)

    assert report.events == 6 + 2
    assert beside.last() == beside.table()


def test_rows_too_wide_for_one_read(table, monkeypatch):
    for number in range(10, 310):
        table.execute(f"INSERT INTO t VALUES ({number}, '2026-01-01 09:00:00', 'old', 'x')")
    beside = Beside(table)
    beside.live()

    def everything():
        beside.change("DELETE FROM t WHERE id = 1", "UPDATE t SET body = 'new', at = '2026-01-03 00:00:00'")
        monkeypatch.setattr(rows, "BATCH_BYTES", 1)

    beside.replay(once((1, everything)), batch_rows=1_000)

    assert beside.last() == {**beside.table(), "1": "old"}
