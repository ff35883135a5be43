"""Columns of texts, judged all at once."""

from itertools import product
from json import dumps

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.envelopes.column_encoder import encode_column
from airflow_legacy_events.envelopes.plan import Field
from airflow_legacy_events.envelopes.texts import TEXT
from airflow_legacy_events.errors import EnvelopeError

SHORT = ["".join(one) for length in range(4) for one in product('",\\a', repeat=length)]
FIELD = Field(0, "v", Kind.TEXT, "text", None, False)


def forms(values):
    return list(encode_column(FIELD, TEXT, values).forms)


def expected(values):
    return [None if value is None else dumps(value, ensure_ascii=False)[1:-1] for value in values]


def test_texts_keep_their_borders_whatever_they_hold():
    for pair in product(SHORT, repeat=2):
        assert forms(pair) == expected(pair)
    assert forms(SHORT) == expected(SHORT)


@pytest.mark.parametrize("odd", [chr(code) for code in (*range(0x23), 0x5C, 0x7F, 0x85, 0x2028, 0xFFFE, 0x1F600)])
def test_what_json_escapes_is_escaped_as_python_does_it(odd):
    for values in ([odd], ["a", odd, ""], [None, f"a{odd}b", None, odd], [None, "a", None]):
        assert forms(values) == expected(values)


def test_a_column_without_escapes_is_carried_as_it_is():
    for values in (["a", ""], ["a", None, ""]):
        found = encode_column(FIELD, TEXT, values)
        assert found.texts is values
        assert found.forms is values
        assert found.regular == (None not in values)


@pytest.mark.parametrize("odd", [b"a", 1, 0, False, 1.5, "\ud800"])
def test_what_is_no_text_is_an_error_wherever_it_stands(odd):
    for values in ([odd], ["a", None, odd]):
        with pytest.raises(EnvelopeError, match=r"other text|a Python"):
            encode_column(FIELD, TEXT, values)
