"""The server's own zone as PostgreSQL tells it: whatever its name, and whatever this process says of itself."""

from __future__ import annotations

import datetime as dt
import logging
import os

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.databases.postgres.zone import spelled
from tests.support.engines import of
from tests.support.legacy import reused_database

POSIX_RULE = "EST5EDT,M3.2.0,M11.1.0"
ZONES = {
    "'Europe/Berlin'": "Europe/Berlin",
    "'europe/berlin'": "Europe/Berlin",
    "'GMT'": "UTC",
    "'Atlantic/Reykjavik'": "UTC",
    "'Europe/London'": "Europe/London",
    "'CET'": "CET",
    "'WET'": "WET",
    "'EST'": "EST",
    "2": "+02:00",
    "-5.5": "-05:30",
    "'+02:00'": "-02:00",  # taken as POSIX has it
    "'UTC+3'": "-03:00",
    f"'{POSIX_RULE}'": None,
}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def set_zone(legacy, zone):
    legacy.execute(f"ALTER DATABASE {legacy.url.database} SET timezone = {zone}")
    legacy.connection.close()
    legacy.connection = legacy.connect()


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_shows_the_clock_that_the_server_shows(legacy, zone):
    set_zone(legacy, zone)
    database = legacy.database()
    try:
        found = database.zone()
    finally:
        database.close()
    assert found.name == ZONES[zone]
    if found.name is None:
        assert found.said == POSIX_RULE
        return
    for moment in ("2026-01-15 12:00:00+00", "2026-07-15 12:00:00+00"):
        ((shown, taken),) = legacy.execute(
            f"SELECT timestamptz '{moment}'::timestamp, timestamptz '{moment}' AT TIME ZONE %s", spelled(found.name)
        )
        here = dt.datetime.fromisoformat(moment).astimezone(zone_named(found.name)).replace(tzinfo=None)
        assert shown == taken == here


def test_the_zone_of_this_process_hides_nothing_and_stays(legacy, monkeypatch):
    set_zone(legacy, "'Europe/Berlin'")
    monkeypatch.setenv("PGTZ", "UTC")
    database = legacy.database()
    try:
        assert database.zone().name == "Europe/Berlin"
    finally:
        database.close()
    assert os.environ["PGTZ"] == "UTC"


def test_a_role_s_own_zone_counts_and_is_named(legacy, caplog):
    caplog.set_level(logging.INFO)
    role = f"reader_of_{legacy.url.database}"
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, '2026-01-01 10:00:00')")
    legacy.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; ALTER ROLE {role} SET timezone = 'America/Lima'")
    legacy.execute(f"GRANT SELECT ON t TO {role}; GRANT USAGE ON SCHEMA public TO {role}")
    set_zone(legacy, "'Europe/Berlin'")
    legacy.url = legacy.url.set(username=role, password="x")
    try:
        with legacy.source(watermark_columns=("at",)) as source, pytest.raises(ConfigurationError) as caught:
            source.open(None)
        with legacy.source(watermark_columns=("at",), source_timezone="database") as source:
            assert [row[0] for batch in source.open(None).batches for row in batch.rows] == ["1"]
    finally:
        legacy.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    told = f"the server's zone is America/Lima, which is set for the role '{role}'"
    assert told in str(caught.value)
    assert any(told in line for line in caplog.messages)


def test_a_naive_time_that_a_query_makes_is_in_utc_as_its_session_is(legacy):
    set_zone(legacy, "'Europe/Berlin'")
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamptz NOT NULL)")
    query = {
        "sql": "SELECT id, at::timestamp AS at, now()::timestamp AS seen FROM t",
        "key_columns": ("id",),
        "watermark_columns": ("at",),
    }
    legacy.execute("INSERT INTO t VALUES (1, now())")
    with legacy.source(**query) as source, pytest.raises(ConfigurationError, match='"UTC" if the values are in UTC'):
        source.open(None)
    with legacy.source(**query, source_timezone="UTC") as source:
        assert [batch.count for batch in source.open(None).batches] == [1]
