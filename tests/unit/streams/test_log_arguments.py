"""The arguments of a change log that name tables, columns and server objects, each checked while the DAG is loaded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.streams.specs.log_arguments import by_table, check

RIGHT = {
    "tables": ["public.orders"],
    **dict.fromkeys(("slot", "publication", "key_columns", "exclude_columns", "message_topics")),
}


def given(**arguments):
    return SimpleNamespace(**RIGHT | arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"tables": ("public.orders", "sales.*", "Odd Schema.Odd.Table")},
        {"slot": "a_1", "publication": "Ours, too"},
        {"key_columns": {"public.orders": ["number"]}, "exclude_columns": {"public.orders": ("ssn", "iban")}},
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_what_is_right_is_taken(arguments, late):
    check(given(**arguments), late=late)


@pytest.mark.parametrize(
    "arguments",
    [
        {"tables": "{{ params.tables }}"},
        {"tables": ["{{ params.schema }}.*"]},
        {"tables": SimpleNamespace(resolve=None)},
        {"slot": "orders-{{ params.tenant }}"},
        {"key_columns": "{{ params.keys }}"},
        {"exclude_columns": {"{{ table }}": ["ssn"]}},
    ],
)
def test_a_template_is_judged_once_it_is_rendered(arguments):
    check(given(**arguments), late=True)
    with pytest.raises(ConfigurationError):
        check(given(**arguments), late=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tables": []}, "tables= must be a list of tables, such as ['public.orders', 'sales.*']; found []"),
        ({"tables": None}, "found None"),
        ({"tables": "public.orders"}, "tables= must be a list of tables"),
        ({"tables": [5]}, "tables= must be a list of tables"),
        ({"tables": ["orders"]}, "tables= names 'orders'; name the schema too, such as 'public.orders'"),
        ({"tables": [""]}, "tables= names ''; name the schema too"),
        ({"tables": ["public."]}, "name the schema too"),
        ({"tables": ["*"]}, "name the schema too"),
        ({"tables": ["*.orders"]}, "`*` stands for all tables of one schema, such as 'sales.*'"),
        ({"tables": ["public.ord*"]}, "which is no name of one table"),
        ({"tables": ["public.orders", "a.b", "public.orders"]}, "tables= names 'public.orders' twice"),
        ({"slot": "CRM-orders"}, "slot= must be 1 to 63 lower-case letters, digits and underscores"),
        ({"slot": "a" * 64}, "slot= must be 1 to 63"),
        ({"slot": ""}, "slot= must be 1 to 63"),
        ({"publication": "é" * 32}, "publication= must be a name of 1 to 63 bytes"),
        ({"key_columns": ["id"]}, "key_columns= must be a dict of tables and their columns"),
        ({"key_columns": {"orders": ["id"]}}, "key_columns= names 'orders'; name the schema too"),
        ({"key_columns": {"public.*": ["id"]}}, "which is no name of one table"),
        ({"key_columns": {"public.orders": "id"}}, "must be a list of column names, such as ['id']; found 'id'"),
        ({"key_columns": {"public.orders": []}}, "Without a key no change of a row can be reported"),
        ({"exclude_columns": ["ssn"]}, "exclude_columns= must be a dict of tables and their columns"),
        ({"exclude_columns": {"public.orders": "ssn"}}, "must be a list of column names, such as ['ssn']"),
    ],
)
def test_a_wrong_argument_says_what_is_right(arguments, told):
    with pytest.raises(ConfigurationError) as refused:
        check(given(**arguments), late=True)
    assert told in str(refused.value)


def test_columns_by_table_have_one_form():
    assert by_table(None) == {}
    assert by_table({"public.orders": ["a", "b"]}) == {"public.orders": ("a", "b")}
