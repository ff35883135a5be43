"""MariaDB and MySQL: values that are compared, sorted or written in a way of their own."""

from __future__ import annotations

import json
import struct

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.streams import Deliveries


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("enum('z','a')", "(1, 'z'), (2, 'a')"),
        ("set('z','a')", "(1, 'z'), (2, 'a')"),
        ("point", "(1, ST_GeomFromText('POINT(1 2)')), (2, ST_GeomFromText('POINT(2 1)'))"),
    ],
)
def test_what_is_sorted_in_another_way_than_compared_is_no_watermark(legacy, declared, values):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, at {declared} NOT NULL)")
    legacy.execute(f"INSERT INTO t VALUES {values}")
    with legacy.source(watermark_columns=("at",)) as source, pytest.raises(ConfigurationError, match="CAST"):
        source.open(None)


@pytest.mark.parametrize(
    ("declared", "zero"),
    [
        ("date", "0000-00-00"),
        ("date", "2026-00-17"),
        ("datetime", "0000-00-00 00:00:00"),
        ("datetime(3)", "2026-11-00 09:15:02.100"),
        ("timestamp", "0000-00-00 00:00:00"),
        ("timestamp(6)", "0000-00-00 00:00:00.000000"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_zero_date_is_sent_as_the_database_writes_it_and_is_no_time_of_its_event(legacy, declared, zero, zone):
    legacy.execute("SET sql_mode = ''")
    legacy.connection._connection.query(f"CREATE TABLE orders (id int PRIMARY KEY, paid {declared} NOT NULL)")
    legacy.execute(f"INSERT INTO orders VALUES (1, '{zero}'), (2, '2026-11-23')")
    broker = MemoryBroker()
    url = legacy.url.render_as_string(hide_password=False)
    run = Deliveries(url, broker, "topic", source_timezone=zone, options={"watermark_columns": ("paid",)})
    run.run()
    first, second = (json.loads(message.value) for message in broker.topic("topic"))
    assert first["data"] == {"id": 1, "paid": zero}
    assert "time" not in first
    assert second["data"]["id"] == 2
    assert "time" in second


@pytest.mark.parametrize("modes", ["TRADITIONAL", "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE"])
def test_a_watermark_goes_on_from_a_zero_date_whatever_the_server_forbids(legacy, modes):
    legacy.execute("SET sql_mode = ''")
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, at datetime NOT NULL)")
    times = ["0000-00-00 00:00:00", "2026-00-17 00:00:00", "2026-11-23 09:15:02"]
    for number, time in enumerate(times):
        legacy.execute("INSERT INTO t VALUES (%s, %s)", number, time)
    legacy.begin_with(sql_mode=f"'{modes}'")
    with legacy.source(watermark_columns=("at",), batch_rows=1) as source:
        assert [row[1] for batch in source.open(None).batches for row in batch.rows] == times


def test_bits_are_digits_and_a_key(legacy):
    legacy.execute("CREATE TABLE t (id bit(10) PRIMARY KEY, one bit(1))")
    legacy.execute("INSERT INTO t VALUES (b'1111111111', b'1'), (b'101', NULL), (0, b'0'), (7, b'1')")
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        rows = [row for batch in source.open(None).batches for row in batch.rows]
    assert rows == [("0000000000", "0"), ("0000000101", None), ("0000000111", "1"), ("1111111111", "1")]


@pytest.mark.parametrize("options", [{"table": "t"}, {"sql": "SELECT * FROM t", "key_columns": ("id",)}])
def test_columns_besides_the_watermark_are_read_exactly_too(legacy, options):
    legacy.execute("SET time_zone = '+00:00'")
    legacy.connection._connection.query(
        "CREATE TABLE t (id varchar(9) PRIMARY KEY, f float, at timestamp NULL, b bit(3))"
    )
    legacy.execute("INSERT INTO t VALUES (1, 0.1, '2026-01-01', 5)")
    with legacy.source(**options, watermark_columns=("id",)) as source:
        [row] = [row for batch in source.open(None).batches for row in batch.rows]
    assert row == ("1", "0.10000000149011612", "2026-01-01 00:00:00+00", "101")


@pytest.mark.parametrize("srid", [0, 4326])
def test_a_spatial_value_is_its_wkb_without_the_srid(legacy, database, srid):
    """Longitude comes first, as it is stored, whatever order the server's functions have."""
    longitude_2 = "POINT(1 2)" if srid and legacy.engine.name == "mysql-9.7" else "POINT(2 1)"
    legacy.execute("CREATE TABLE t (id int, at geometry)")
    legacy.execute(f"INSERT INTO t VALUES (1, ST_GeomFromText('{longitude_2}', {srid}))")
    found = database.reflect("t", None)
    assert found.columns[1].kind is Kind.BYTES
    [row] = database.read(sa.select(sa.column("at")).select_from(found.selectable))
    assert row == (struct.pack("<BIdd", 1, 1, 2.0, 1.0),)


def test_numbers_are_compared_exactly(legacy):
    legacy.execute("CREATE TABLE t (id bigint unsigned PRIMARY KEY)")
    top = 2**64 - 1
    legacy.execute(f"INSERT INTO t VALUES ({top - 2}), ({top - 1}), ({top})")
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        found = [row[0] for batch in source.open(None).batches for row in batch.rows]
    assert found == [str(top - 2), str(top - 1), str(top)]


@pytest.mark.parametrize("collation", ["latin1_swedish_ci", "latin1_german1_ci", "latin1_bin", "utf8mb4_bin"])
def test_texts_are_compared_as_their_column_sorts_them(legacy, collation):
    charset = collation.partition("_")[0]
    legacy.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, at varchar(9) CHARACTER SET {charset} COLLATE {collation} NOT NULL)"
    )
    texts = ["a", "A", "\u00e4", "\u00c4", "b", "B", "z", "\u00fc", "a ", "", "\\", "'"]
    for number, text in enumerate(texts):
        legacy.execute("INSERT INTO t VALUES (%s, %s)", number, text)
    expected = [row[0] for row in legacy.execute("SELECT id FROM t ORDER BY at, id")]
    for batch_rows in (1, 7, 10_000):
        with legacy.source(watermark_columns=("at",), batch_rows=batch_rows) as source:
            assert [int(row[0]) for batch in source.open(None).batches for row in batch.rows] == expected
