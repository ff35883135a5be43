"""Tables of a stream: their names as the server compares them, and what is asked of it."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

import pytest

from airflow_legacy_events.core.model import TableName
from airflow_legacy_events.core.ports import LogTable
from airflow_legacy_events.databases.mysql.changelog.forms import COLUMNS, BinlogForms
from airflow_legacy_events.databases.mysql.changelog.images import Ordered, images_of
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace, RowsEvent
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader
from tests.support.binlog_values import column, table_map, unconverted

NONE: Any = None
HERE = BinlogPlace("binlog.000001", 4)


class Server:
    """Answers what is asked of the catalog."""

    def __init__(self, *, folds: str = "0", version: str = "10.11.19-MariaDB") -> None:
        self.asked: list[str] = []
        self._answers = {
            "VERSION()": [(version, folds)],
            "information_schema.tables": [("BASE TABLE", "InnoDB", "0")],
            "information_schema.columns": [
                ("id", "int(11)", None, None, "", "1"),
                ("v", "int(11)", None, None, "", "0"),
            ],
        }

    def ask(self, _: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self.asked.append(statement)
        return next((rows for part, rows in self._answers.items() if part in statement), [])

    def forms(self, *names: str, stored: Any = None) -> BinlogForms:
        access = BinlogAccess("c", NONE, self.ask, nullcontext, self.ask, 60, 2**20, logging.getLogger(__name__))
        tables = [LogTable(TableName("Shop", name), NONE, ("id",), name) for name in names]
        return BinlogForms(access, tables, stored or {}, lambda *_: NONE)


@pytest.mark.parametrize(("folds", "found"), [("0", None), ("1", TableName("Shop", "Orders"))])
def test_names_are_compared_as_the_server_does(folds, found):
    forms = Server(folds=folds).forms("Orders")
    assert forms.wanted("Shop", "Orders") == TableName("Shop", "Orders")
    assert forms.wanted("shop", "orders") == found
    assert [one.table for one in forms.effects("TRUNCATE orders", "shop", HERE)] == ([found] if found else [])


def test_a_run_that_reads_nothing_asks_nothing():
    stored = {COLUMNS: Server().forms("a", "b").facts()}
    server = Server()
    assert server.forms("a", "b", stored=stored).facts() == stored[COLUMNS]
    assert server.asked == []


def test_a_table_that_left_the_stream_is_forgotten():
    stored = {COLUMNS: Server().forms("a", "b").facts()}
    assert [one[1] for one in Server().forms("b", stored=stored).facts()["tables"]] == ["b"]


def test_an_effect_is_given_once_and_other_databases_have_none():
    forms = Server().forms("orders", "items")
    moved = forms.effects("RENAME TABLE orders TO former, stage TO orders", "Shop", HERE)
    assert [(one.table.name, one.kind, one.removed) for one in moved] == [("orders", "gap", True)]
    assert forms.effects("TRUNCATE orders", "shop", HERE) == []
    assert forms.effects("REPLACE INTO percona.checksums SELECT COUNT(*) FROM orders", "Shop", HERE) == []
    assert {one.table.name for one in forms.effects("DELETE FROM other", "Shop", HERE)} == {"orders", "items"}
    assert {one.kind for one in forms.effects("DELETE FROM other", "Shop", HERE)} == {"gap"}


def test_facts_say_what_statements_did():
    forms = Server().forms("orders")
    forms.effects("ALTER TABLE orders RENAME COLUMN v TO w, ADD x int DEFAULT 5", "Shop", HERE)
    [[schema, name, shape]] = forms.facts()["tables"]
    assert (schema, name, shape["altered"], shape["came"]) == ("Shop", "orders", True, ["x"])
    assert [one[:2] for one in shape["columns"]] == [["id", 1], ["w", 2]]
    forms.effects("DROP TABLE orders", "Shop", HERE)
    assert forms.facts()["tables"][0][2]["gone"]
    assert forms.effects("DROP TABLE IF EXISTS orders", "Shop", HERE) == []


def event(body, width, present):
    bits = bytes([present])
    return RowsEvent(1, "u", True, width, bits, bits, body, 0)


def reader(map_, columns):
    return row_reader(map_, columns, unconverted)


def test_images_may_lack_columns_that_are_part_of_no_row():
    columns = [column(3), column(1)._replace(column=None), column(2), column(8)._replace(column=None)]
    found, needed = images_of(table_map(columns), columns, reader)
    assert needed == 0b0101
    whole = event(b"\x00" + bytes([1, 0, 0, 0, 2, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0]), 4, 0b1111)
    lacking = event(b"\x00" + bytes([1, 0, 0, 0, 3, 0]), 4, 0b0101)
    assert [found.images(one) for one in (whole, lacking, whole)] == [[("1", "3")]] * 3
    assert [one.holds(needed) for one in (whole, lacking, event(b"", 4, 0b1011))] == [True, True, False]
    assert not lacking.holds(-1)


def test_images_of_plain_tables_are_read_as_they_are():
    columns = [column(3), column(1)]
    found, needed = images_of(table_map(columns), columns, reader)
    assert needed == 0b11
    assert found is reader(table_map(columns), columns)
    assert Ordered(found, (1, 0)).images(event(b"\x00\x05\x00\x00\x00\x06", 2, 0b11)) == [("6", "5")]
