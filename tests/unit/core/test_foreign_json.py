"""JSON that anybody may have written."""

import pytest

from airflow_legacy_events.core.foreign_json import DEEPEST, read_json


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        '{"a": ' * 200 + "1" + "}" * 200,
        b"\xff",
        '"\\ud800"',
        '{"\\udc00": 1}',
        '[["\\ud800x"]]',
        "NaN",
        "[1e999]",
        '{"share": -1e999}',
        "1" * 5_000,
        "",
    ],
)
def test_what_could_not_be_written_again_is_one_kind_of_error(text):
    with pytest.raises(ValueError):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a": "\xc3\xa9"}', {"a": "é"}),
        ('"\\ud83d\\ude00"', "😀"),
        ("[" * DEEPEST + "1.5" + "]" * DEEPEST, None),
    ],
)
def test_what_can_be_is_read(text, found):
    assert found is None or read_json(text) == found
    read_json(text)
