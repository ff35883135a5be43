"""Arguments of a sink: all that is wrong is in one message."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions

WRONG = {
    "table": ["", None, "{nothing}", "{topic", "{topic!r}", "{name}"],
    "allowed_tables": ["orders", ["orders"], [], [1]],
    "mode": ["insert", None],
    "key_columns": ["id", [], ["id", "id"], [1], {"id": "id"}],
    "columns": ["id", [], {}, {"id": 1}, [["id"]]],
    "exclude_columns": ["id", [], [None]],
    "metadata_columns": ["offset", ["place"], {"header.": "h"}, {"offset": ""}, [], {"op": "x", "offset": "x"}],
    "on_delete": ["ignore", "soft", ["apply"]],
    "deleted_column": ["", 1, "gone"],
    "on_truncate": ["event"],
    "version_column": ["", ["v"]],
    "create_table": ["yes", 1],
    "column_types": [["text"], {}, {"a": "text"}],
    "on_schema_change": ["add"],
    "on_loss": ["cut"],
    "epoch_unit": ["s", {}, {"a": "s"}],
    "decimal_scales": [{}, {"a": "2"}, {"a": True}, ["a"]],
    "target_timezone": ["Nowhere", None, "+25:00"],
    "max_row_bytes": [0, "1", True, 1023],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, some in WRONG.items() for value in some])
def test_a_wrong_argument_is_named(name, value):
    given = {"table": "t", name: value}
    with pytest.raises(ConfigurationError, match=f"{name}=") as error:
        DecodingOptions(**given).check(schemaless=True)
    assert len(str(error.value).splitlines()) <= 3


def test_all_that_is_wrong_is_in_one_message():
    given = {name: some[0] for name, some in WRONG.items()}
    with pytest.raises(ConfigurationError, match="problems were found") as error:
        DecodingOptions(**given).check()
    assert all(f"{name}=" in str(error.value) for name in WRONG)
    assert len(error.value.problems) >= len(WRONG)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"table": "{schema}.{source_table}", "allowed_tables": ("public.orders",)},
        {"key_columns": ["a", "b"], "version_column": "v", "on_delete": "soft", "deleted_column": "gone"},
        {"columns": {"id": "key"}, "metadata_columns": {"header.x": "x", "event_id": "event"}},
        {"create_table": True, "column_types": {"a": "citext"}},
        {"on_schema_change": "evolve", "column_types": {"a": "citext"}},
        {"mode": "append", "metadata_columns": ["event_id", "op"], "on_delete": "skip", "on_truncate": "skip"},
        {"epoch_unit": {"ts": "us", "t3": "ms"}, "decimal_scales": {"a": 0, "b": None}},
        {"table": "a{{b}}"},
    ],
)
def test_what_is_right(given):
    DecodingOptions(**{"table": "t", **given}).check(schemaless=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "append", "key_columns": ["id"]}, "key_columns= has no effect with mode='append'"),
        ({"mode": "append", "version_column": "v"}, "version_column= has no effect"),
        ({"mode": "append", "on_truncate": "apply"}, "on_truncate='apply' is not possible with mode='append'"),
        ({"mode": "append", "on_delete": "soft", "deleted_column": "d"}, "on_delete='soft' has no effect"),
        ({"columns": ["a"], "exclude_columns": ["b"]}, "not both"),
        ({"columns": {"a": "x"}, "metadata_columns": {"offset": "x"}}, "written more than once"),
        ({"on_delete": "soft", "deleted_column": "x", "metadata_columns": {"op": "x"}}, "written more than once"),
        ({"deleted_column": "x"}, "goes with on_delete='soft'"),
        ({"epoch_unit": "ms"}, "only with envelope="),
        ({"decimal_scales": {"a": 1}}, "only with envelope="),
    ],
)
def test_arguments_that_contradict_each_other(given, said):
    with pytest.raises(ConfigurationError) as error:
        DecodingOptions(**{"table": "t", **given}).check()
    assert said in str(error.value)
