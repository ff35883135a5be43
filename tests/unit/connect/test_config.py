"""A declared config in the texts that Kafka Connect keeps, and what is wrong with others."""

import decimal

import pytest

from airflow_legacy_events.connect.config import read_config
from airflow_legacy_events.core.errors import ConfigurationError

BASE = {"connector.class": "X"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (" a ", " a "),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (0.5, "0.5"),
        (decimal.Decimal("1.10"), "1.10"),
        (["a", 1, True], "a,1,true"),
        (("a",), "a"),
        ([], ""),
    ],
)
def test_values_become_the_texts_that_connect_keeps(value, text):
    assert read_config(BASE | {"key": value}, "c") == BASE | {"key": text}


def test_none_means_absent_and_the_name_is_no_key():
    assert read_config(BASE | {"key": None, "name": "c"}, "c") == BASE
    assert read_config({"name": "c", "config": BASE}, "c") == BASE
    assert read_config('{"name": "c", "config": {"connector.class": "X", "a": true}}', "c") == BASE | {"a": "true"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "is not a JSON object"),
        ("[1]", "must be a mapping"),
        (3, "must be a mapping"),
        ({}, "has no 'connector.class'"),
        ({"connector.class": " "}, "has no 'connector.class'"),
        (BASE | {"name": "other"}, "is not connector='c'"),
        (BASE | {"a": {"b": 1}}, "found a dict"),
        (BASE | {"a": ["x,y"]}, "holds a comma"),
        (BASE | {"a": b"x"}, "found a bytes"),
        (BASE | {" a": "x"}, "without blanks"),
        (BASE | {1: "x"}, "without blanks"),
    ],
)
def test_what_can_not_be_a_config_is_refused(config, said):
    with pytest.raises(ConfigurationError, match=said):
        read_config(config, "c")
