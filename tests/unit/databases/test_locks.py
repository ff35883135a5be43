"""Holders of locks, as other processes name them."""

import pytest

from airflow_legacy_events.databases.locks import describe, holder_in, is_earlier_try, read_holder

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


@pytest.mark.parametrize(
    "statement",
    [
        None,
        "SELECT 1",
        "/* legacy-events {nonsense} */ SELECT 1",
        "/* legacy-events {} x {} */",
        "/* legacy-events " + '{"a":' * 50_000 + "1" + "}" * 50_000 + " */",
        '/* legacy-events {"dag": "\\ud800"} */',
    ],
)
def test_a_comment_that_names_nobody_is_nobody(statement):
    assert holder_in(statement) is None


@pytest.mark.parametrize("text", [None, 7, "", "[]", '"x"', b"\xff", "[" * 100_000, '{"try": NaN}'])
def test_a_text_that_names_nobody_is_nobody(text):
    assert read_holder(text) is None


def test_a_comment_names_its_holder():
    assert holder_in('/* legacy-events {"dag": "d"} */ SELECT 1') == {"dag": "d"}


@pytest.mark.parametrize("odd", ["x", [1], {}, "9" * 5_000])
def test_a_try_that_is_no_number_is_never_earlier(odd):
    assert not is_earlier_try({**HOLDER, "try": odd or "x"}, {**HOLDER, "try": 3})
    assert is_earlier_try(HOLDER, {**HOLDER, "try": 3})


def test_a_holder_is_described_without_what_moves_a_terminal():
    assert "on host \\x1b[31m, pid" in describe({**HOLDER, "host": "\x1b[31m"})
