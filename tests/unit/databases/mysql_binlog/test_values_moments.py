"""Dates and times of the binlog, by bytes that servers wrote."""

from __future__ import annotations

import pytest

from airflow_legacy_events.databases.mysql.changelog.values.memo import Memo
from tests.support.binlog_values import column, read, value


@pytest.mark.parametrize(
    ("stored", "text"),
    [("77d50f", "2026-11-23"), ("000000", "0000-00-00"), ("11d40f", "2026-00-17"), ("9f1f4e", "9999-12-31")],
)
def test_a_date(stored, text):
    assert value(column(10), bytes.fromhex(stored)) == text


@pytest.mark.parametrize(
    ("digits", "stored", "text"),
    [
        (4, "99b8a293c21388", "2026-00-17 09:15:02.5000"),
        (0, "8000000000", "0000-00-00 00:00:00"),
        (1, "99b8a293c232", "2026-00-17 09:15:02.5"),
        (3, "99b8a293c21388", "2026-00-17 09:15:02.500"),
        (5, "99b8a293c207a120", "2026-00-17 09:15:02.50000"),
        (6, "fef3ff7efb0f423f", "9999-12-31 23:59:59.999999"),
    ],
)
def test_a_datetime(digits, stored, text):
    assert value(column(18, digits), bytes.fromhex(stored)) == text


@pytest.mark.parametrize(
    ("digits", "stored", "text"),
    [
        (2, "6955b90019", "2026-01-01 00:00:00.25+00"),
        (0, "00000000", "0000-00-00 00:00:00+00"),
        (3, "000000000000", "0000-00-00 00:00:00.000+00"),
        (0, "00000001", "1970-01-01 00:00:01+00"),
        (0, "7fffffff", "2038-01-19 03:14:07+00"),
        (0, "ffffffff", "2106-02-07 06:28:15+00"),
        (6, "6955b9000001e2", "2026-01-01 00:00:00.000482+00"),
    ],
)
def test_a_timestamp_is_in_utc(digits, stored, text):
    assert value(column(17, digits), bytes.fromhex(stored)) == text


def test_a_part_of_the_first_second_is_no_zero_date():
    assert value(column(17, 1), bytes.fromhex("0000000032")) == "1970-01-01 00:00:00.5+00"


@pytest.mark.parametrize(
    ("digits", "stored", "text"),
    [
        (3, "7fef7cec78", "-01:02:03.500"),
        (0, "800000", "00:00:00"),
        (0, "b46efb", "838:59:59"),
        (0, "4b9105", "-838:59:59"),
        (1, "7fffffce", "-00:00:00.5"),
        (6, "7fffffffffff", "-00:00:00.000001"),
    ],
)
def test_a_time_may_be_negative_and_longer_than_a_day(digits, stored, text):
    assert value(column(19, digits), bytes.fromhex(stored)) == text


@pytest.mark.parametrize(
    ("type_", "declared", "stored", "text"),
    [
        (11, "time", "25d8ff", "-01:02:03"),
        (11, None, "25d8ff", "-01:02:03"),
        (11, "time(3) /* mariadb-5.3 */", "00b3ced494", "-01:02:03.500"),
        (11, "time(6)", "057e7ba055c0", "838:59:58.123456"),
        (12, "datetime", "ae331f276d120000", "2026-00-17 09:15:02"),
        (12, "datetime(2)", "069f7dd186ca", "2026-00-17 09:15:02.50"),
        (12, "datetime(6)", "000000000003d090", "0000-00-00 00:00:00.250000"),
        (7, "timestamp", "00b95569", "2026-01-01 00:00:00+00"),
        (7, "timestamp(5)", "6955b900003039", "2026-01-01 00:00:00.12345+00"),
        (7, "timestamp(2)", "0000000000", "0000-00-00 00:00:00.00+00"),
    ],
)
def test_times_of_older_releases(type_, declared, stored, text):
    assert value(column(type_, declared=declared), bytes.fromhex(stored)) == text


def test_a_memo_begins_again_when_it_is_full():
    found = Memo(str)
    assert [found[number] for number in range(50_000)] == [str(number) for number in range(50_000)]
    assert len(found) < 50_000


def test_times_with_and_without_fractions_in_one_row():
    columns = [column(19, 0), column(19, 3), column(19, 0)]
    body = b"\0" + bytes.fromhex("4b9105") + bytes.fromhex("7fef7cec78") + bytes.fromhex("b46efb")
    assert read(columns, body) == [("-838:59:59", "-01:02:03.500", "838:59:59")]
