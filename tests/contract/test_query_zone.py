"""Naive local times of a server that is not in UTC: refused with the argument, and with it every row at once."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Formats, Stream, Window
from airflow_legacy_events.streams.specs.query import QuerySpec
from tests.services.mariadb import MariaDB11
from tests.services.mysql9 import MySQL9
from tests.support.elsewhere import BERLIN, SYDNEY, legacy_in, server_in_berlin
from tests.support.legacy import reused_database
from tests.support.profile import LONG
from tests.support.streams import Deliveries

ENGINES = ("postgresql-18", "mariadb-11.8", *(("postgresql-15", "mysql-9.7") if LONG else ()))

pytestmark = pytest.mark.xdist_group("servers-in-berlin")  # they are started once


@pytest.fixture(scope="module")
def mariadb11_in_berlin():
    with server_in_berlin(MariaDB11) as server:
        yield server


@pytest.fixture(scope="module")
def mysql9_in_berlin():
    with server_in_berlin(MySQL9) as server:
        yield server


@pytest.fixture(params=[(engine, zone) for engine in ENGINES for zone in (BERLIN, SYDNEY)], ids="-".join)
def elsewhere(request):
    """A database in one of the zones, and the zone."""
    with legacy_in(request, *request.param) as found:
        yield found, request.param[1]


@pytest.fixture(params=ENGINES)
def berlin(request):
    with legacy_in(request, request.param, BERLIN) as found:
        yield found


def make_shop(legacy, *ids):
    legacy.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, updated_at timestamp(6) NOT NULL DEFAULT localtimestamp(6),"
        " created_at timestamp(6) NOT NULL DEFAULT localtimestamp(6), day date NOT NULL, body varchar(9))"
    )
    sell(legacy, *ids)


def sell(legacy, *ids):
    """What the application does; neither it nor its session says anything of a zone."""
    for number in ids:
        legacy.execute(f"INSERT INTO t (id, day) VALUES ({number}, current_date)")


def run(legacy, at=None, window=None, **options):
    """The ids of one run, and the watermark that the next run gets."""
    with legacy.source(**{"watermark_columns": ("updated_at",), **options}) as source:
        horizon, reading = source.open(at, window)
        batches = list(reading)
    last = batches[-1].after if batches else at
    names = [batch.shape.named(range(len(batch.shape.columns))) for batch in batches]
    ids = [int(row[name.index("id")]) for batch, name in zip(batches, names, strict=True) for row in batch.rows]
    return ids, last and last._replace(facts={**horizon.facts, **last.facts})


def refused(legacy, **options):
    with pytest.raises(ConfigurationError) as caught:
        run(legacy, **options)
    return str(caught.value)


def test_the_argument_that_the_refusal_names_delivers_each_row_with_the_first_run_behind_its_commit(elsewhere):
    legacy, zone = elsewhere
    make_shop(legacy, 1)
    told = refused(legacy)
    assert "'updated_at' holds times without a zone" in told
    assert f"the server's zone is {zone}" in told
    (remedy,) = (line for line in told.splitlines() if line.startswith("Give source_timezone="))
    named = re.findall(r'"([^"]*)"', remedy)
    assert named == [zone, "UTC", "database"]
    for argument in (zone, "database"):
        legacy.execute("DELETE FROM t")
        after = None
        for number in (1, 2, 3):
            sell(legacy, number)
            ids, after = run(legacy, after, source_timezone=argument)
            assert ids == [number]


def test_with_utc_a_stream_goes_on_as_it_did_and_with_the_zone_nothing_is_lost_or_comes_twice(berlin):
    make_shop(berlin, 1, 2, 3)
    ago = "- interval '5 hour'" if berlin.dialect == "postgresql" else "- interval 5 hour"
    berlin.execute(f"UPDATE t SET updated_at = updated_at {ago} WHERE id < 3")
    ids, after = run(berlin, source_timezone="UTC")
    assert ids == [1, 2]
    assert "source_timezone=" in refused(berlin, at=after)
    assert run(berlin, after, source_timezone="UTC")[0] == []
    sell(berlin, 4)
    assert run(berlin, after, source_timezone="database")[0] == [3, 4]


def test_a_column_that_only_tells_a_time_is_refused_too(berlin):
    make_shop(berlin, 1)
    day = dt.datetime.now(dt.UTC).date()
    low, high = (f"{day + dt.timedelta(days=days)}T00:00:00+00:00" for days in (-3, 3))
    window = Window(None, low, high)
    assert "'created_at'" in refused(berlin, watermark_columns=("id",), time_columns=("created_at",))
    assert "'created_at'" in refused(berlin, watermark_columns=("id",), window=window._replace(column="created_at"))
    assert "'day'" in refused(berlin, watermark_columns=("day",))
    found = run(berlin, None, window, watermark_columns=("day",), source_timezone=BERLIN)
    assert found[0] == [1]


def test_naive_columns_that_are_only_sent_get_one_warning_with_their_names(berlin, caplog):
    make_shop(berlin, 1)
    assert run(berlin, watermark_columns=("id",))[0] == [1]
    (line,) = (one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING)
    assert "'updated_at', 'created_at'" in line
    assert "'day'" not in line
    assert f'\nGive source_timezone="{BERLIN}"' in line
    caplog.clear()
    for quiet in ({"source_timezone": "UTC"}, {"naive_times": True}, {"columns": ("id", "day", "body")}):
        run(berlin, watermark_columns=("id",), **quiet)
    assert not [one for one in caplog.records if "Give source_timezone" in one.getMessage()]


def test_times_that_know_their_zone_need_no_argument(berlin):
    berlin.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, at timestamp with time zone NOT NULL, told varchar(40) NOT NULL)"
    )
    berlin.execute("INSERT INTO t VALUES (1, current_timestamp, '2026-01-01 10:00')")
    assert run(berlin, watermark_columns=("at",))[0] == [1]
    assert run(berlin, watermark_columns=("told",))[0] == [1]
    assert run(berlin, watermark_columns=("at",), source_timezone="database")[0] == [1]


def test_views_and_queries_are_judged_by_their_columns(berlin):
    make_shop(berlin, 1)
    berlin.execute("CREATE VIEW v AS SELECT id, updated_at FROM t")
    assert "table 'v'" in refused(berlin, table="v", key_columns=("id",))
    query = {"sql": "SELECT id, updated_at FROM t", "key_columns": ("id",)}
    assert "the query" in refused(berlin, **query)
    assert run(berlin, **query, source_timezone="database")[0] == [1]


@pytest.mark.parametrize("engine", ["sqlite", "firebird"])
def test_a_database_that_tells_no_zone_is_in_utc(request, engine):
    with reused_database(request, engine) as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        legacy.execute("INSERT INTO t VALUES (1, '2026-01-01 10:00:00')")
        for zone in (None, "database"):
            assert run(legacy, watermark_columns=("at",), source_timezone=zone)[0] == [1]


def test_a_watermark_that_the_server_s_new_zone_puts_into_the_future_is_refused(berlin):
    make_shop(berlin, 1)
    ids, after = run(berlin, source_timezone="database")
    assert ids == [1]
    if berlin.dialect == "postgresql":
        berlin.execute(f"ALTER DATABASE {berlin.url.database} SET timezone = 'America/Lima'")
    else:
        berlin.execute("SET GLOBAL time_zone = '-05:00'")
    with pytest.raises(WatermarkError, match="rows that are written until then lie below it"):
        run(berlin, after, source_timezone="database")


def test_the_operator_s_arguments_decide_as_they_are_rendered(berlin, caplog):
    make_shop(berlin, 1)

    def ids(stream, **arguments):
        spec = QuerySpec(conn_id="crm", table="t", watermark_columns=["id"], **arguments)
        spec.check(rendered=True)
        source = spec.source(database, stream=stream, limits=Limits(), log=logging.getLogger("tests"))
        return [int(row[0]) for batch in source.open(None).batches for row in batch.rows]

    stream, database = Stream("s", "topic", "/crm/t", "crm.t.changed"), berlin.database()
    naive = stream._replace(formats=Formats(times="naive"))
    try:
        for shaped, arguments in ((stream, {"time_column": "created_at"}), (timed_by("created_at"), {})):
            with pytest.raises(ConfigurationError, match="'created_at' holds times without a zone"):
                ids(shaped, **arguments)
            assert ids(shaped, **arguments, source_timezone="database") == [1]
        assert ids(naive) == [1]
        assert "without a zone, sent as UTC" not in caplog.text
        assert ids(stream) == [1]
        assert "without a zone, sent as UTC" in caplog.text
    finally:
        database.close()


def timed_by(column):
    return Stream("s", "topic", "/crm/t", "crm.t.changed", timestamp_column=column)


def test_values_to_begin_with_and_windows_are_moments_of_the_server_s_zone(berlin):
    make_shop(berlin, 1, 2)
    berlin.execute("UPDATE t SET updated_at = '2026-01-15 12:00:00' WHERE id = 1")
    noon = dt.datetime(2026, 1, 15, 11, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    for begin, ids in ((noon, [1, 2]), (noon + second, [2]), ("2026-01-15 12:00:00", [1, 2])):
        assert run(berlin, first_run=begin, source_timezone="database")[0] == ids
    for low, ids in ((noon, [1]), (noon + second, [])):
        window = Window(None, low.isoformat(), (noon + 2 * second).isoformat())
        assert run(berlin, None, window, source_timezone="database")[0] == ids


def test_values_that_are_no_utc_although_it_is_said_wait_and_the_report_says_so(berlin, caplog):
    caplog.set_level(logging.INFO)
    make_shop(berlin, 1, 2)
    url = berlin.url.render_as_string(hide_password=False)
    options = {"watermark_columns": ("updated_at",)}
    stream = Deliveries(url, MemoryBroker(), "orders", table="t", source_timezone="UTC", options=options)
    for _ in range(2):
        report = stream.run().to_dict()
        held = report["held_back"]
        assert (report["events"], report["target_reached"]) == (0, True)
        assert (held["rows"], held["reason"], held["blocker"]) == (2, "future", None)
        assert -7_300 < held["oldest_seconds"] < -3_500
    assert "2 rows wait for a later run: they are above the database's current time" in caplog.text


def test_the_event_s_time_is_told_by_the_server_s_zone(berlin):
    make_shop(berlin, 1)
    berlin.execute("UPDATE t SET updated_at = '2026-07-15 12:00:00'")
    broker = MemoryBroker()
    options = {"watermark_columns": ("updated_at",)}
    url = berlin.url.render_as_string(hide_password=False)
    stream = Deliveries(url, broker, "orders", table="t", source_timezone="database", options=options)
    assert stream.run().held_back is None
    (message,) = broker.topic("orders")
    event = json.loads(message.value)
    assert event["time"] == event["data"]["updated_at"] == "2026-07-15T10:00:00.000000Z"


ZONES = {
    "+02:00": ("+02:00", "+02:00"),
    "-5:30": ("-05:30", "-05:30"),
    "+00:00": ("UTC", "+00:00"),
    "europe/berlin": (BERLIN, "europe/berlin"),
    "SYSTEM": (None, "SYSTEM (CET)"),
}


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_of_mariadb_is_known_by_its_name_or_offset_and_none_by_an_abbreviation(request, zone):
    with legacy_in(request, "mariadb-11.8", zone) as legacy:
        name, said = ZONES[zone]
        with legacy.source(watermark_columns=("at",)) as source:
            found = source.database.zone()
        assert (found.name, found.said.replace("CEST", "CET").casefold()) == (name, said.casefold())
        make_shop(legacy, 1)
        if name is None:
            for asked in (None, "database"):
                assert '\nGive source_timezone="Europe/Berlin"' in refused(legacy, source_timezone=asked)
        else:
            assert run(legacy, source_timezone="database")[0] == [1]
