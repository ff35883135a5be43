"""`airflow legacy-events watermark rewind`: back, and nowhere else."""

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.support.commands import load, refused
from tests.support.registered import Registered


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("--by", "1d"), "2026-11-22 09:15:02"),
        (("--by", "90s"), "2026-11-23 09:13:32"),
        (("--to", "2026-11-01T00:00:00"), "2026-11-01 00:00:00"),
    ],
)
def test_rewind_moves_back_and_tells_who_did_it(call, stream, mark, words, value):
    call("rewind", stream, *words)

    found = load(stream)
    assert (found.values, found.receipt) == ((value,), None)
    assert found.facts["person"]
    assert found.facts["set_at"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "2026-11-24"), "that is not back"),
        (("--to", "2026-11-01T00:00:00Z"), "write this column's times without an offset"),
        (("--to", "7"), "is not a time"),
        (("--by", "7"), "goes back by a time such as 90s"),
        (("--by", "-1d"), "goes back by a time such as 90s"),
        (("--by", "99999999w"), "which leads below every time"),
        (("--by", "9" * 5_000 + "d"), "which leads below every time"),
        (("--to", "NaN"), "is not a time"),
        ((), "exactly one of --to VALUE and --by AMOUNT"),
        (("--by", "1d", "--to", "2026-11-01"), "exactly one of"),
    ],
)
def test_rewind_goes_nowhere_else(call, stream, mark, words, message):
    assert message in refused(call, "rewind", stream, *(f"{word}" for word in _joined(words)))
    assert load(stream) == mark


def _joined(words):
    """`--by=-1d`, as a value that begins with a dash must be written."""
    return [f"{name}={value}" for name, value in zip(words[::2], words[1::2], strict=True)]


def test_rewind_of_ids_goes_by_numbers(call, stream, mark):
    call("set", stream, "1000")
    call("rewind", stream, "--by", "10")
    assert load(stream).values == ("990",)
    call("rewind", stream, "--to", "5")
    assert load(stream).values == ("5",)


@pytest.mark.parametrize("given", ["--to=NaN", "--to=-Infinity", "--by=Infinity", "--by=sNaN", "--by=1e9999999"])
def test_numbers_without_an_end_lead_nowhere(call, stream, mark, given):
    call("set", stream, "1000")

    assert refused(call, "rewind", stream, given).startswith("ConfigurationError: --")
    assert load(stream).values == ("1000",)


def test_the_value_of_a_rewind_is_sent_again_also_where_it_names_a_row(call, shop, stream):
    facts = {
        "source": "legacy_shop",
        "columns": [["id", "INTEGER"]],
        "watermark_columns": ["id"],
        "key_columns": ["id"],
    }
    mark = Watermark(("3",), None, {**facts, "table": "orders"})
    Registered(VariableWatermarkStore(), name="variable").save(stream, mark, expected=None)

    assert "leave 4 rows to send" in call("rewind", stream, "--to", "2", "--dry-run")
