"""Arguments of a change log about its tables: topics, keys, and columns that are left out."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SchemaChangedError, WatermarkError
from airflow_legacy_events.core.model import TableName
from airflow_legacy_events.sources.changelog.retyping import rewritten
from airflow_legacy_events.sources.changelog.topics import topics_of
from tests.support.crashes import STREAM
from tests.unit.sources.changelog.test_runs import brief


def refused(shop, error=ConfigurationError, **options):
    with pytest.raises(error) as caught:
        shop.source(**options).open(shop.saved)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "topic"),
    [
        ("cdc.{schema}.{table}", "cdc.sales.big_orders"),
        ("{database}-{table}", "crm-big_orders"),
        ("{{{table}}}", "_big_orders_"),
        ("fixed", "fixed"),
    ],
)
def test_a_topic_is_the_template_filled_in_what_kafka_can_hold(template, topic):
    table = TableName("sales", "big orders")
    assert topics_of(template, "crm", [table]) == {table: topic}


def test_tables_that_share_a_topic_are_one_error():
    tables = [
        TableName("a", "b.c"),
        TableName("a.b", "c"),
        TableName("x", "ü"),
        TableName("x", "ö"),
        TableName("x", "y"),
    ]
    with pytest.raises(ConfigurationError) as caught:
        topics_of("{schema}.{table}", "", tables)
    assert "'a.b.c' by a.b.c and a.b.c; 'x._' by x.ü and x.ö" in str(caught.value)


def test_a_topic_names_a_table_alone():
    with pytest.raises(ConfigurationError, match="'id'"):
        topics_of("{table}.{id}", "", [TableName("a", "b")])


def test_messages_name_their_table(shop):
    source = shop.source(stream=STREAM._replace(topic="{table}"))
    batches = [one for one in source.open(None).batches if one.count]
    assert batches[0].shape.table == "main.orders"
    assert batches[0].shape.stream == {
        "topic": "orders",
        "source": "/legacy/main.orders",
        "type": "legacy.main.orders.changed",
        "database": "main",
        "product": "memory",
        "schema": "main",
        "table": "orders",
    }


@pytest.mark.parametrize("argument", ["key_columns", "exclude_columns", "snapshot"])
def test_arguments_name_tables_of_the_stream(shop, argument):
    given = ["main.order"] if argument == "snapshot" else {"main.order": ["id"]}
    message = refused(shop, **{argument: given})
    assert "'main.order'" in message
    assert "main.orders" in message
    assert argument in message


def test_a_table_without_a_key_is_refused_with_the_statement_that_gives_it_one(shop):
    with shop.server.session() as session:
        session.execute("CREATE TABLE bare (id INTEGER NOT NULL, v TEXT)")
    shop.server.tables["bare"] = shop.server.tables["orders"]
    message = refused(shop, tables=["main.bare"])
    assert message.splitlines()[-1] == "ALTER TABLE `main`.`bare` ADD PRIMARY KEY (`id`)"


@pytest.mark.parametrize(
    ("key", "why"), [(["b"], "not known to be unique"), (["v"], "may be NULL"), (["c"], "no such column")]
)
def test_a_key_that_identifies_no_row_is_refused(shop, key, why):
    message = refused(shop, key_columns={"main.names": key})
    assert why in message


def test_a_key_that_holds_the_primary_key_identifies_a_row(shop):
    shop.put(("x", 1, 1), table="names")
    events = shop.run(key_columns={"main.names": ["b", "a"]}, tables=["main.names"])
    assert [one.key for one in events] == ['["1", "x"]']


def test_another_key_is_refused_until_the_table_is_read_anew_under_it(shop):
    shop.put(("x", 1, 1), table="names")
    shop.run()
    keys = {"key_columns": {"main.names": ["b", "a"]}}
    assert '{"snapshot": ["main.names"]}' in refused(shop, WatermarkError, **keys)
    events = shop.run(**keys, snapshot=["main.names"])
    assert [(one.op, one.key) for one in events] == [("t", None), ("r", '["1", "x"]')]
    assert shop.run(**keys) == []


OUT = {"exclude_columns": {"main.orders": ["note"]}}


def test_columns_are_left_out_of_rows_and_changes(shop):
    sent = shop.run(**OUT)
    shop.put((5, "secret"))
    sent += shop.run(**OUT)
    assert [(one.op, *one.row) for one in sent] == [*[("r", "id")] * 4, ("c", "id")]


def test_a_column_that_is_no_longer_left_out_is_told_until_the_table_is_read_anew(shop):
    shop.run(**OUT)
    shop.put((5, "five"))
    assert brief(shop.run()) == [("c", "5", "five")]
    assert "'note' was left out" in shop.process.inner.lowered()[1]
    shop.run(snapshot=["main.orders"])
    assert shop.process.inner.lowered() is None
    assert shop.equal


def test_a_column_that_is_not_there_is_not_left_out(shop):
    message = refused(shop, exclude_columns={"main.orders": ["notes"]})
    assert "'notes'" in message


@pytest.mark.parametrize("names", [["note"], ["memo"], ["note", "memo"]])
def test_a_renamed_column_stays_left_out_by_either_name(shop, names):
    shop.run(**OUT)
    shop.put((5, "secret"))
    shop.server.rename_column("orders", "note", "memo")
    shop.put((6, "secret"))
    assert brief(shop.run(exclude_columns={"main.orders": names})) == [("c", "5"), ("c", "6")]
    assert brief(shop.run(exclude_columns={"main.orders": names}, snapshot=["main.orders"]))[-1] == ("r", "6")
    assert "secret" not in str(shop.world.topic)


def test_a_renamed_column_stays_left_out_beside_new_ones_of_its_name(shop):
    shop.run(**OUT)
    for number, former in ((5, "memo"), (6, "earlier")):
        shop.server.rename_column("orders", "note", former)
        shop.server.add_column("orders", "note")
        shop.put((number, *["secret"] * (number - 3)))
        assert brief(shop.run(**OUT)) == [("c", str(number))]
    assert brief(shop.run(**OUT, snapshot=["main.orders"]))[-1] == ("r", "6")
    assert "secret" not in str(shop.world.topic)


def test_a_name_that_fits_no_column_of_the_log_is_an_error_before_its_first_row(shop):
    shop.run()
    shop.put((5, "secret"))
    form = shop.server.tables["orders"].form
    object.__setattr__(form, "numbers", ())  # a database that numbers no columns
    shop.server.rename_column("orders", "note", "memo")
    object.__setattr__(shop.server.tables["orders"].form, "numbers", (1, 2))
    with pytest.raises(SchemaChangedError, match="'memo'") as caught:
        shop.run(exclude_columns={"main.orders": ["memo"]})
    assert "'note'" in str(caught.value)
    assert "secret" not in str(shop.world.topic)


def test_a_column_that_was_added_later_is_missing_before(shop):
    shop.run()
    shop.put((5, "five"))
    shop.server.add_column("orders", "ssn")
    shop.put((6, "six", "secret"))
    assert brief(shop.run(exclude_columns={"main.orders": ["ssn"]})) == [("c", "5", "five"), ("c", "6", "six")]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("varchar(10)", "varchar(20)", False),
        ("varchar(10)", "varchar", False),
        ("varchar(10)", "text", False),
        ("numeric(10,2)", "numeric(12,2)", False),
        ("numeric(10,2)", "numeric", True),
        ("varchar(20)", "varchar(10)", True),
        ("numeric(10,2)", "numeric(10,1)", True),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("int4", "int8", True),
        ("int4", "text", True),
        ("text", "varchar(10)", True),
        ("char(5)", "text", True),
        ("timestamp(6)", "timestamp(0)", True),
        ("datetime(0)", "datetime(3)", False),
        ("int", "bigint", False),
        ("int unsigned", "bigint", False),
        ("int", "bigint unsigned", True),
        ("bigint", "int", True),
        ("tinyint(1)", "tinyint", False),
        ("enum('a','b')", "enum('c','b','a')", False),
        ("enum('a','b)')", "enum('a')", True),
        ("set('a')", "enum('a')", True),
        ("varchar(20)", "text(255)", False),
        ("text(65535)", "text(255)", True),
        ("bit(3)", "bit(5)", True),
        ("binary(3)", "binary(5)", True),
    ],
)
def test_a_changed_type_may_have_changed_values(before, after, changed):
    assert rewritten(before, after) is changed
