"""Types and values of any driver: which kind they are, and their one exact text."""

from __future__ import annotations

import datetime as dt
import sqlite3
import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle, postgresql

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.generic import values as generic_values
from airflow_legacy_events.databases.generic.kinds import kind_of_code, kind_of_type

TYPES = [
    (sa.SmallInteger(), Kind.INTEGER),
    (sa.BigInteger(), Kind.INTEGER),
    (sa.Numeric(10, 2), Kind.DECIMAL),
    (sa.Float(), Kind.FLOAT),
    (sa.Double(), Kind.FLOAT),
    (sa.Boolean(), Kind.BOOLEAN),
    (sa.String(9), Kind.TEXT),
    (sa.Text(), Kind.TEXT),
    (sa.Enum("a", "b"), Kind.TEXT),
    (sa.Date(), Kind.DATE),
    (sa.Time(), Kind.TIME),
    (sa.DateTime(), Kind.TIMESTAMP),
    (sa.DateTime(timezone=True), Kind.INSTANT),
    (sa.Uuid(), Kind.UUID),
    (sa.JSON(), Kind.JSON),
    (sa.LargeBinary(), Kind.BYTES),
    (sa.VARBINARY(9), Kind.BYTES),
    (mssql.BIT(), Kind.BOOLEAN),
    (mssql.MONEY(), None),
    (mssql.UNIQUEIDENTIFIER(), Kind.UUID),
    (mssql.DATETIME2(precision=6), Kind.TIMESTAMP),
    (mssql.DATETIME2(precision=7), None),
    (mssql.DATETIMEOFFSET(precision=3), Kind.INSTANT),
    (mssql.DATETIMEOFFSET(precision=7), None),
    (oracle.DATE(), Kind.TIMESTAMP),
    (oracle.TIMESTAMP(timezone=True), Kind.INSTANT),
    (oracle.TIMESTAMP(local_timezone=True), Kind.INSTANT),
    (postgresql.ARRAY(sa.Integer), None),
    (sa.Interval(), None),
    (sa.types.NullType(), None),
]


@pytest.mark.parametrize(("type_", "kind"), TYPES, ids=lambda value: repr(value)[:40])
def test_a_reflected_type_has_one_kind_or_none(type_, kind):
    assert kind_of_type(type_) is kind


DBAPI = SimpleNamespace(STRING=1, BINARY=2, NUMBER=3, DATETIME=4)


@pytest.mark.parametrize(
    ("code", "precision", "scale", "kind"),
    [
        (int, None, None, Kind.INTEGER),
        (Decimal, None, None, Kind.DECIMAL),
        (dt.datetime, None, None, Kind.TIMESTAMP),
        (bytearray, None, None, Kind.BYTES),
        (object, None, None, None),
        (1, None, None, Kind.TEXT),
        (2, None, None, Kind.BYTES),
        (3, 10, 0, Kind.INTEGER),
        (3, 10, 2, Kind.DECIMAL),
        (3, None, None, None),
        (4, None, None, None),
        (None, None, None, None),
    ],
)
def test_what_a_driver_says_of_a_result_is_taken_only_where_it_is_certain(code, precision, scale, kind):
    assert kind_of_code(DBAPI, ("n", code, None, None, precision, scale, None)) is kind


BERLIN = dt.timezone(dt.timedelta(hours=1))
VALUES = [
    (None, None),
    (7, 7),
    (True, True),
    (0.5, 0.5),
    ("a", "a"),
    (b"a", b"a"),
    (bytearray(b"a"), b"a"),
    pytest.param(memoryview(b"a"), b"a", id="memoryview"),  # its repr is another one in every process
    (Decimal("19.90"), "19.90"),
    (Decimal("1E+3"), "1000"),
    (Decimal("NaN"), "NaN"),
    (Decimal("-Infinity"), "-Infinity"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (dt.time(3, 4, 5, 6), "03:04:05.000006"),
    (dt.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),  # noqa: DTZ001
    (dt.datetime(2026, 1, 2, 3, 4, 5, 6), "2026-01-02 03:04:05.000006"),  # noqa: DTZ001
    (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=BERLIN), "2026-01-02 02:04:05+00"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ({"a": [1, "ä"]}, '{"a":[1,"ä"]}'),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=repr)
def test_every_python_type_of_a_driver_has_one_exact_form(value, text):
    assert generic_values.exact([(1, value), (2, None)], ["n", "v"]) == [(1, text), (2, None)]
    assert type(generic_values.exact([(value,)], ["v"])[0][0]) is type(text)


def test_a_type_without_an_exact_form_is_refused_by_the_name_of_its_column_and_never_shows_its_value():
    with pytest.raises(SourceError, match=r"column 'v' .* as timedelta, .* CAST\(v AS VARCHAR") as refused:
        generic_values.exact([(1, None), (2, dt.timedelta(seconds=4711))], ["n", "v"])
    assert "4711" not in str(refused.value)


def test_no_rows_stay_no_rows():
    assert generic_values.exact([], ["n"]) == []


def test_a_large_object_is_no_watermark_since_it_has_no_order():
    with pytest.raises(SourceError, match=r"column 'v' .*CLOB.* no order.* CAST"):
        generic_values.text("a", Column("v", Kind.TEXT, "CLOB"))


@pytest.mark.parametrize(
    "kind",
    [Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.UUID, Kind.BYTES],
)
def test_a_text_that_is_no_value_of_the_kind_is_a_value_error(kind):
    with pytest.raises(ValueError):
        generic_values.bind("nonsense", Column("v", kind, "whatever"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.INTEGER, 7),
        (Kind.BOOLEAN, True),
        (Kind.BOOLEAN, False),
        (Kind.BYTES, b"\x00\xff"),
        (Kind.TEXT, "ä"),
        (Kind.FLOAT, 0.1),
    ],
)
def test_a_watermark_keeps_what_it_is_given(kind, value):
    column = Column("v", kind, "whatever")
    assert generic_values.bind(generic_values.text(value, column), column) == value


def test_sqlite_leaves_the_types_of_a_query_open():
    described = sqlite3.connect(":memory:").execute("SELECT 1 AS n").description[0]
    assert kind_of_code(sqlite3, described) is None
