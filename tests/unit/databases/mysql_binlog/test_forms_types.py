"""Declared types of columns: in parts, as queries report them, and as the log stores them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog.declared import (
    Declared,
    bits,
    carried,
    fits,
    from_log,
    parse,
    precise,
)
from tests.support.binlog_values import column, table_map

LABELS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("declared", "name", "exactly"),
    [
        ("int(11)", "int", "int"),
        ("int", "int", "int"),
        ("tinyint(1)", "tinyint(1)", "tinyint(1)"),
        ("bigint(20) unsigned", "bigint unsigned", "bigint unsigned"),
        ("int(6) unsigned zerofill", "int unsigned zerofill", "int unsigned zerofill"),
        ("decimal(10,2) unsigned", "decimal unsigned", "decimal(10,2) unsigned"),
        ("double(12,3)", "double", "double(12,3)"),
        ("datetime", "datetime", "datetime(0)"),
        ("timestamp(6)", "timestamp", "timestamp(6)"),
        ("datetime /* mariadb-5.3 */", "datetime", "datetime(0)"),
        ("varchar(20)", "varchar", "varchar(20)"),
        ("varchar(20) /*M!100301 COMPRESSED*/", "varchar", "varchar(20)"),
        ("mediumtext", "text", "text(16777215)"),
        ("longblob", "blob", "blob(4294967295)"),
        ("enum('a','b)')", "enum", "enum('a','b)')"),
        ("bit(3)", "bit", "bit(3)"),
        ("uuid", "char", "char"),
        ("point", "geometry", "geometry"),
        ("json", "json", "json"),
        ("year(4)", "year", "year"),
    ],
)
def test_a_type_is_named_as_queries_do_and_exactly(declared, name, exactly):
    assert (carried(declared).name, precise(declared)) == (name, exactly)


def test_a_type_that_no_query_carries_is_not_carried():
    assert carried("xmltype").kind is None


@given(LABELS)
def test_labels_are_those_that_were_declared(labels):
    map_ = table_map([column(247, 1)])
    assert parse(from_log(map_, 0, "utf8mb4", 4, tuple(labels))).labels == tuple(labels)


def test_labels_are_read_as_the_catalog_writes_them():
    declared = r"enum('a\\b','n\nl','r\rx','q''q','\0k','\\\\n')"
    assert parse(declared).labels == ("a\\b", "n\nl", "r\rx", "q'q", "\0k", "\\\\n")


def test_a_label_that_the_catalog_cannot_show_is_no_other_type():
    assert precise("enum('\U0001f600','x')") == precise("enum('?','x')")


@pytest.mark.parametrize(
    ("declared", "octets", "type_", "metadata", "wrong"),
    [
        ("int(11)", None, 3, 0, None),
        ("decimal(10,2)", None, 246, 10 * 256 + 2, 10 * 256 + 3),
        ("bit(12)", None, 16, 256 + 4, 256 + 5),
        ("bit(8)", None, 16, 256, 4),
        ("datetime(3)", None, 18, 3, 6),
        ("time", None, 19, 0, 1),
        ("varchar(20)", 80, 15, 80, 84),
        ("char(3)", 12, 254, 12, 9),
        ("tinyblob", 255, 252, 1, 2),
        ("mediumtext", 16_777_215, 252, 3, 2),
        ("json", None, 252, 4, None),
        ("json", None, 245, 4, None),
        ("uuid", None, 254, 16, None),
        ("enum('a')", 4, 247, 1, None),
        ("xmltype", None, 99, 0, None),
    ],
)
def test_a_type_fits_what_the_log_stores_of_it(declared, octets, type_, metadata, wrong):
    assert fits(declared, octets, table_map([column(type_, metadata)]), 0)
    if wrong is not None:
        assert not fits(declared, octets, table_map([column(type_, wrong)]), 0)
    if declared != "xmltype":
        assert not fits(declared, octets, table_map([column(13 if type_ != 13 else 3)]), 0)


def test_signs_must_fit_where_the_log_has_them():
    one = table_map([column(3)])._replace(unsigned=(True,))
    assert fits("int unsigned", None, one, 0)
    assert fits("int(4) unsigned zerofill", None, one, 0)
    assert not fits("int", None, one, 0)


@given(st.integers(1, 64))
def test_bits_are_counted_from_their_metadata(count):
    assert bits(count % 8 + 256 * (count // 8)) == count
    assert from_log(table_map([column(16, count % 8 + 256 * (count // 8))]), 0, None, 1, ()) == f"bit({count})"


@pytest.mark.parametrize("text", ["", "int", "(", "enum('", "a(b(c))", "x" * 500, "int(10) unsigned"])
def test_any_text_is_a_type_in_parts(text):
    assert isinstance(parse(text), Declared)
