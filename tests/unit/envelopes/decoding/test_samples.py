"""Topics that Debezium 3.6 and Maxwell 1.22 wrote become the tables that they come from, value by value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.errors import DeliveryError, SchemaChangedError
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from tests.support.applying import Letters, applied, rows_of
from tests.support.decoding import decoded, table
from tests.support.fake_target import FakeTarget

GOLDEN = Path(__file__).parents[3] / "golden"
COMMON = {
    "id": TargetColumn("", Kind.INTEGER, "integer", nullable=False),
    "name": Kind.TEXT,
    "email": Kind.TEXT,
    "balance": TargetColumn("", Kind.DECIMAL, "numeric(10,2)", precision=10, scale=2),
    "active": Kind.BOOLEAN,
    "created_at": Kind.INSTANT,
    "birth": Kind.DATE,
    "ts": Kind.TIMESTAMP,
    "tod": Kind.TIME,
    "attrs": Kind.JSON,
    "doc": Kind.BYTES,
}
POSTGRES = table(
    **COMMON,
    uid=Kind.UUID,
    tags=TargetColumn("", Kind.ARRAY, "text[]", elements=Elements(Kind.TEXT)),
    big=Kind.TEXT,
    r8=Kind.FLOAT,
)
MARIADB = table(**COMMON, st=Kind.TEXT, fl=Kind.TEXT, yr=Kind.INTEGER, u=Kind.INTEGER, txt=Kind.TEXT)
NOTHING = (None,) * 11
ZOE = ("z@example.com", "12.50", "true", "2026-01-02 03:04:05.123456+00", "1990-05-06", "2026-01-02 03:04:05.123456")
CID = ("30", "Cid", None, "7.10", "true", "2026-03-04 05:06:07.000000+00", *(None,) * 5)
KNOWN = {"epoch_unit": "us", "decimal_scales": {"balance": 2}}


def debezium(name):
    lines = [json.loads(one) for one in (GOLDEN / "debezium" / f"{name}.jsonl").read_text().splitlines()]
    return [(one["key"], one["value"], 0, one["headers"]) for one in lines]


@pytest.mark.parametrize("size", [1, 5, 100])
def test_debezium_on_postgresql(size):
    target, letters = FakeTarget(shapes={"t": POSTGRES}), Letters()
    applied(DebeziumDecoder(), target, debezium("customers"), size=size, letters=letters, **KNOWN)
    uid = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
    assert rows_of(target) == {
        "1": ("1", "Zoe2", *ZOE, "12:34:56.789000", '{"a": 1}', r"\xdeadbeef", uid, '{"x","y"}', None, "1.5"),
        "30": (*CID, None, None, None, None),
    }
    assert letters.sent == [(16, "VALUE")]  # an infinite date, whose number no calendar has
    assert "'birth'" in letters.reasons[0]


@pytest.mark.parametrize("size", [1, 5, 100])
def test_debezium_on_mariadb(size):
    target = FakeTarget(shapes={"t": MARIADB})
    applied(DebeziumDecoder(), target, debezium("mariadb"), size=size, **KNOWN)
    assert rows_of(target) == {
        "1": ("1", 'Zoë "Q"', *ZOE, "12:34:56.789000", '{"a":1}', r"\xdeadbeef", "b", "x,y", "1999", "-1", None),
        "30": (*CID, None, None, None, None, None),
        "8": ("8", "after", *(None,) * 14),
    }


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({}, "balance"),
        ({"decimal_scales": {"balance": 2}}, "ts"),
        ({"epoch_unit": "us"}, "balance"),
        ({"decimal_scales": {"balance": 2}, "epoch_unit": {"ts": "us"}}, "tod"),
    ],
)
def test_what_debezium_without_schema_does_not_say_is_refused_by_column_and_option(given, column):
    found = decoded(DebeziumDecoder(), POSTGRES, debezium("customers")[0], **given)
    [poison] = found.poison
    option = "decimal_scales=" if column == "balance" else "epoch_unit="
    assert f"'{column}'" in poison.reason
    assert option in poison.reason
    assert "BOI=" not in poison.reason
    assert "1767323045" not in poison.reason


ORDERS = {
    "id": Kind.INTEGER,
    "v": Kind.TEXT,
    "d": TargetColumn("", Kind.DECIMAL, "decimal(10,3)", precision=10, scale=3),
    "ts": Kind.TIMESTAMP,
    "t2": Kind.INSTANT,
    "j": Kind.TEXT,
    "b": Kind.BYTES,
    "e": Kind.TEXT,
    "f": Kind.INTEGER,
    "u": Kind.INTEGER,
}


def maxwell():
    return [(None, one) for one in (GOLDEN / "maxwell" / "shop.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_maxwell(size):
    target = FakeTarget(shapes={"orders": table("orders", **ORDERS, extra=Kind.INTEGER)})
    options = {"table": "{source_table}", "allowed_tables": ["orders"]}
    found = applied(MaxwellDecoder(), target, maxwell(), size=size, **options)
    assert rows_of(target, "orders") == {
        "3": ("3", "t2", *(None,) * 8, "default"),
        "4": ("4", "x", *(None,) * 8, "5"),
    }
    assert found.delivered.rejected == 0


def test_a_row_of_maxwell_value_by_value_and_its_changed_key():
    target = FakeTarget(shapes={"orders": table("orders", **ORDERS)})
    options = {"table": "{source_table}", "allowed_tables": ["orders"]}
    applied(MaxwellDecoder(), target, maxwell()[:3], size=3, **options)
    times = ("2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.123+00")
    row = ("7", "new", "0.001", *times, '{"a":1.50}', r"\x00ff10", "b", "1", "18446744073709551615")
    assert rows_of(target, "orders") == {"7": row}


def test_a_field_that_came_with_an_alter_table_names_the_one_to_run():
    target = FakeTarget(shapes={"orders": table("orders", **ORDERS)})
    options = {"table": "{source_table}", "allowed_tables": ["orders"]}
    with pytest.raises(SchemaChangedError, match="ALTER TABLE orders ADD extra integer"):
        applied(MaxwellDecoder(), target, maxwell(), **options)


def test_without_dead_letters_the_run_fails_before_the_batch():
    target = FakeTarget(shapes={"t": POSTGRES})
    with pytest.raises(DeliveryError, match=r"a.t\[0\]@16 can't be applied: VALUE, column 'birth'"):
        applied(DebeziumDecoder(), target, debezium("customers"), size=100, **KNOWN)
    assert rows_of(target) == {}
