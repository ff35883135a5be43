"""Times as databases write them, one by one and a column at once."""

import pytest

from airflow_legacy_events.envelopes.timestamps import Clock, is_rfc3339
from airflow_legacy_events.errors import EnvelopeError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23 09:15:02.123456+00", "2026-11-23T09:15:02.123456Z"),
        ("2026-11-23 09:15:02.12+00", "2026-11-23T09:15:02.120000Z"),
        ("2026-11-23 09:15:02+00", "2026-11-23T09:15:02.000000Z"),
        ("2026-11-23T09:15:02Z", "2026-11-23T09:15:02.000000Z"),
        ("2026-11-23T09:15Z", "2026-11-23T09:15:00.000000Z"),
        ("2026-11-23 09:15:02.123456789Z", "2026-11-23T09:15:02.123456789Z"),
        ("2026-11-23T09:15:02+02:00", "2026-11-23T07:15:02.000000Z"),
        ("2026-11-23 01:15:02.5+0200", "2026-11-22T23:15:02.500000Z"),
        ("2026-11-23 09:15:02 -05", "2026-11-23T14:15:02.000000Z"),
        ("1890-01-01 00:00:00+00:53:28", "1889-12-31T23:06:32.000000Z"),
        ("2026-11-23 09:15", "2026-11-23T09:15:00.000000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
        ("infinity", "infinity"),
        ("-infinity", "-infinity"),
        ("0001-12-31 23:30:00-01 BC", "0001-01-01T00:30:00.000000Z"),
        ("0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31 23:59:59.999999+00", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_written_in_utc_with_all_its_digits(text, expected):
    clock = Clock("UTC")
    assert clock.instant(text) == expected
    assert clock.instants([text]) in ([expected], None)
    assert clock.locals([text]) in ([expected], None)


@pytest.mark.parametrize(
    "text",
    [
        "0044-03-15 12:00:00+00 BC",
        "0001-12-31 23:59:59.9+00 BC",
        "4713-01-01 00:00:00 BC",
        "0005-02-29 00:00:00+00 BC",
        "0000-12-31T23:00:00Z",
        "9999-12-31 23:59:59-01",
        "12026-11-23 09:15:02.12345+00",
        "294276-12-31 23:59:59.999999+00",
        "0001-01-01 00:00:00+01",
        "0000-00-00 00:00:00",
        "2026-00-00",
        "2026-02-00 09:15:02.5",
    ],
)
def test_a_time_that_rfc_3339_cannot_write_stays_as_the_database_writes_it(text):
    clock = Clock("UTC")
    assert clock.instant(text) == text
    assert not is_rfc3339(text)
    assert clock.instants([text]) is None
    assert clock.locals([text]) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_point_in_time_that_has_no_day_stays_without_a_zone(zone):
    clock = Clock(zone)
    assert clock.instant("0000-00-00 00:00:00.000000+00") == "0000-00-00 00:00:00.000000"
    assert clock.instants(["0000-00-00 00:00:00+00"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "0000-00-00 25:00:00",
        "2026-11-23 09",
        "2026-11-23 25:00:00",
        "2026-02-30 00:00:00",
        "2026-11-23 09:15.5",
        "23.11.2026 09:15",
        "2026-11-23 09:15:02 CET",
        "2026-11-23 09:15:02+00\n",
        '2026-11-23 09:15:02."2345+00',
        "-2026-11-23 09:15:02",
        "٢٠٢٦-11-23 09:15:02",
    ],
)
def test_what_is_no_time_is_an_error(text):
    with pytest.raises(ValueError):
        Clock("UTC").instant(text)
    assert Clock("UTC").instants([text]) is None
    assert Clock("Europe/Berlin").locals([text]) is None


def test_a_column_of_usual_texts_is_converted_at_once():
    whole, exact, short = "2026-11-23 09:15:02", "2026-11-23 09:15:02.123456", "2026-11-23 09:15:02.1"
    expected = ["2026-11-23T09:15:02.000000Z", "2026-11-23T09:15:02.123456Z", "2026-11-23T09:15:02.100000Z"]
    clock = Clock("UTC")
    assert clock.instants([f"{text}+00" for text in (whole, exact, short)]) == expected
    assert clock.locals([whole, exact, short]) == expected
    assert clock.instants([f"{whole}+00"] * 2) == expected[:1] * 2
    assert clock.locals([whole] * 2) == expected[:1] * 2


WRITTEN = ["2026-11-23 09:15:02", "2026-02-29 23:59:59.1", "0001-01-01 00:00:00.12345", "9999-12-31 23:59:59.999999"]


def test_a_column_that_its_database_vouches_for_is_converted_alike():
    clock = Clock("UTC")
    for local in ([one] * 3 for one in WRITTEN):
        instants = [f"{text}+00" for text in local]
        assert [text[:19] for text in clock.instants(instants, checked=True)] == [local[0][:19].replace(" ", "T")] * 3
        assert clock.locals(local, checked=True) == clock.instants(instants, checked=True)
    mixed = clock.instants([f"{text}+00" for text in WRITTEN], checked=True)
    assert mixed == clock.locals(WRITTEN, checked=True)
    assert mixed == [clock.locals([text], checked=True)[0] for text in WRITTEN]
    assert mixed[1:] == ["2026-02-29T23:59:59.100000Z", "0001-01-01T00:00:00.123450Z", "9999-12-31T23:59:59.999999Z"]


@pytest.mark.parametrize("year", ["", "1", "29"])
@pytest.mark.parametrize("fraction", ["", *(".123456"[:length] for length in range(2, 8))])
@pytest.mark.parametrize("era", ["", " BC"])
@pytest.mark.parametrize("zone", ["+00", "+02", "+05:00", "+00:53:28"])
def test_what_is_no_usual_time_is_told_also_where_its_database_vouches_for_it(year, fraction, era, zone):
    local, clock = f"{year}0044-03-15 12:00:00{fraction}", Clock("UTC")
    good = "2026-11-23 09:15:02.5"
    for others in ([], [good], [good, f"{good}1"]):
        if year or era or zone != "+00":
            assert clock.instants([*(f"{one}+00" for one in others), f"{local}{zone}{era}"], checked=True) is None
        if year or era:
            assert clock.locals([*others, f"{local}{era}"], checked=True) is None


@pytest.mark.parametrize(
    "text", ["infinity", "23.11.2026 09:15:02.123456", "11/23/2026 09:15:02.5", "Mon Nov 23 09:15:02 2026"]
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_text_of_another_style_is_told_also_where_its_database_vouches_for_it(text, zone):
    for values in ([text], [text] * 2, [WRITTEN[0], text]):
        assert Clock(zone).locals(values, checked=True) is None
        assert Clock(zone).instants([f"{value}+00" for value in values], checked=True) is None


@pytest.mark.parametrize(
    "good", ["2026-11-23 09:15:02+00", "2026-11-23 09:15:02.123456+00", "2026-11-23 09:15:02.1+00"]
)
@pytest.mark.parametrize(
    "odd",
    [
        "2026-11-23 09:15:02+02",
        "2026-11-23 09:15:02.123456+02",
        "2026-11-23 09:15:02.1+02",
        "2026-11-23 09:15:02-00",
        "2026-11-23 09:15:02.123456+20",
        "12026-11-23 09:15:02.12345+00",
        "0044-03-15 09:15:02.123+00 BC",
        "2026-11-23 09:15:02.1234567+00",
        "2026-00-23 09:15:02+00",
        "2026-11-00 09:15:02+00",
        "2026-11-23 09:15+00",
        "2026-13-01 09:15:02+00",
        "2026-11-31 09:15:02+00",
        "2026-09-31 09:15:02+00",
        "2026-02-29 09:15:02+00",
        "2026-02-30 09:15:02+00",
        "2026-12-32 09:15:02+00",
        "2026-11-23 24:00:00+00",
        "2026-11-23 09:60:00+00",
        "2026-11-23 09:15:60+00",
        "2026-11-23 09:15:02.123456Z00",
        "2026-11-23\n09:15:02+00",
        "2026-11-23x09:15:02+00",
        "infinity",
        "",
    ],
)
def test_a_column_with_one_unusual_text_is_left_to_the_careful(good, odd):
    assert Clock("UTC").instants([good, odd]) is None
    assert Clock("UTC").instants([odd, good]) is None
    assert Clock("UTC").instants([odd]) is None


@pytest.mark.parametrize(
    "odd", ["2026-11-23 09:15:02Z", "2026-11-23 09:15:02+00", "2026-11-23 09:15", "infinity", "", "\n"]
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_a_local_column_with_one_unusual_text_is_left_to_the_careful(zone, odd):
    assert Clock(zone).locals(["2026-11-23 09:15:02", odd]) is None
    assert Clock(zone).locals([odd]) is None


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Berlin", "2026-01-15 00:30:00", "2026-01-14T23:30:00.000000Z"),
        ("Europe/Berlin", "2026-07-15 12:00:00.25", "2026-07-15T10:00:00.250000Z"),
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00.000000Z"),  # twice: the first
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00.000000Z"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00.000000Z"),  # never: means 03:30
        ("Europe/Berlin", "2026-03-29 03:30:00", "2026-03-29T01:30:00.000000Z"),
        ("Asia/Kolkata", "2026-01-01 02:15:30", "2025-12-31T20:45:30.000000Z"),
        (
            "Australia/Lord_Howe",
            "2026-04-05 01:45:00",
            "2026-04-04T14:45:00.000000Z",
        ),  # the half hour that occurs twice
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00.000000Z"),  # the half hour that does not
        ("Australia/Lord_Howe", "2026-10-04 02:45:00", "2026-10-03T15:45:00.000000Z"),
        ("America/Goose_Bay", "2010-03-14 01:00:30", "2010-03-14T05:00:30.000000Z"),  # a gap from 00:01 to 01:01
        ("America/Goose_Bay", "2010-03-14 01:30:00", "2010-03-14T04:30:00.000000Z"),
        ("Europe/Berlin", "1890-01-01 00:00:00", "1889-12-31T23:06:32.000000Z"),  # local mean time
        ("America/New_York", "9999-12-31 23:00:00", "9999-12-31 23:00:00"),
        ("Asia/Tokyo", "0001-01-01 00:00:00", "0001-01-01 00:00:00"),
        ("America/New_York", "12026-07-01 00:00:00", "12026-07-01 00:00:00"),
        ("Europe/Berlin", "0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"),
    ],
)
def test_a_naive_time_is_read_in_its_zone(zone, local, expected):
    assert Clock(zone).instant(local) == expected
    assert Clock(zone).locals([local]) in ([expected], None)


def test_a_zone_does_not_move_a_time_that_names_its_own():
    assert Clock("Europe/Berlin").instant("2026-11-23 09:15:02+00") == "2026-11-23T09:15:02.000000Z"
    assert Clock("Europe/Berlin").instant("2026-11-23 09:15:02Z") == "2026-11-23T09:15:02.000000Z"
    assert Clock("Europe/Berlin").instants(["2026-11-23 09:15:02+00"]) == ["2026-11-23T09:15:02.000000Z"]


def test_more_hours_than_are_remembered_stay_right():
    clock = Clock("Europe/Berlin")
    hours = [f"{year}-01-{day:02} 09:15:02" for year in range(2_000, 3_000) for day in range(1, 29)]
    assert clock.locals(hours) == [f"{text[:10]}T08:15:02.000000Z" for text in hours]
    assert len(clock._hours) <= 10_000


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe"])
def test_a_zone_of_broken_hours_is_remembered_by_the_minute(zone):
    clock = Clock(zone)
    first = clock.locals(["2026-06-01 12:00:00", "2026-06-01 12:00:59.5"])
    assert first == [clock.instant("2026-06-01 12:00:00"), clock.instant("2026-06-01 12:00:59.5")]
    assert clock.locals(["2026-06-01 12:00:00", "2026-06-01 12:00:59.5"]) == first


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "x\x00"])
def test_an_unknown_zone_is_refused_by_name(zone):
    with pytest.raises(EnvelopeError, match="is not a known time zone; name one"):
        Clock(zone)


def test_only_finite_times_of_the_years_1_to_9999_are_rfc_3339():
    assert is_rfc3339("2026-11-23T09:15:02.123456Z")
    assert is_rfc3339("0001-01-01T00:00:00.000000Z")
    for other in ("infinity", "-infinity", "-0043-03-15T12:00:00.000000Z", "+12026-01-01T00:00:00.000000Z"):
        assert not is_rfc3339(other)
    assert not is_rfc3339("0000-12-31T23:00:00.000000Z")
