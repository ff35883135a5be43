"""`airflow legacy-events watermark list|copy|export|import`: streams of a deployment, and their moves."""

import json

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import registration, variable
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import read_registration
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.commands import load, refused
from tests.support.registered import Registered


def test_list_gives_a_line_for_every_stream_that_has_begun(call, stream, mark):
    odd = f"shop/{stream}?ü"
    Registered(VariableWatermarkStore(), name="variable", dag="d", task="t").save(
        odd, Watermark(None, None, {}), expected=None
    )
    lost = f"lost.{stream}"
    Registered(MemoryWatermarkStore(), name="my.Store").save(lost, Watermark(None, None, {}), expected=None)
    found = {one["stream"]: one for one in json.loads(call("list", "-o", "json"))}

    assert found[stream] == {
        "stream": stream,
        "store": "variable",
        "dag": "shop",
        "task": "publish",
        "watermark": "present",
        "values": ["2026-11-23 09:15:02", "42"],
        "run": "r1",
        "error": None,
    }
    assert found[odd]["watermark"] == "empty"
    assert found[lost]["watermark"] == "unreadable"
    assert "a store that was passed as an object" in found[lost]["error"]
    assert stream in call("list", "-o", "plain")


def test_a_registration_that_a_person_broke_hides_no_other_stream(call, stream, mark):
    broken = f"broken.{stream}"
    metadata.put_variable(registration.PREFIX + broken, "{}")
    try:
        found = {one["stream"]: one for one in json.loads(call("list", "-o", "json"))}
        exported = json.loads(call("export", stream))
        told = refused(call, "export", broken), refused(call, "export")
    finally:
        metadata.drop_variable(registration.PREFIX + broken)

    assert found[stream]["watermark"] == "present"
    assert found[broken]["watermark"] == "unreadable"
    assert (found[broken]["store"], found[broken]["values"]) == (None, None)
    assert "can't be understood" in found[broken]["error"]
    assert [one["stream"] for one in exported] == [stream]
    assert all("can't be understood" in one for one in told)


def test_copy_moves_a_stream_to_a_table_and_back(call, stream, mark):
    call("copy", stream, "--to", "table:watermarks")

    assert variable.PREFIX + stream not in metadata.variables()
    assert read_registration(stream).store == "table:watermarks"
    (found,) = json.loads(call("show", stream, "-o", "json"))
    assert [one["text"] for one in found["values"]] == list(mark.values)
    assert found["facts"]["person"]

    call("copy", stream, "--to", "variable")
    assert load(stream).values == mark.values
    assert load(stream).receipt == mark.receipt
    assert read_registration(stream)._replace(store="table:watermarks").since


def test_copy_leaves_what_it_cannot_move(call, stream, mark):
    assert "it is there already" in refused(call, "copy", stream, "--to", "variable")
    assert "watermark_store 'redis' is not known" in refused(call, "copy", stream, "--to", "redis")
    assert "connection 'nope' was not found" in refused(call, "copy", stream, "--to", "table:nope")
    assert "would move from 'variable'" in call("copy", stream, "--to", "table:watermarks", "--dry-run")
    assert load(stream) == mark
    assert read_registration(stream).store == "variable"


def test_what_export_prints_import_writes(call, stream, mark, tmp_path):
    file = tmp_path / "streams.json"
    file.write_text(call("export", stream))
    call("forget", stream)

    assert "would be written to 'variable'" in call("import", str(file), "--dry-run")
    assert load(stream) is None
    call("import", str(file))

    found = load(stream)
    assert (found.values, found.receipt) == (mark.values, mark.receipt)
    assert {name: found.facts[name] for name in mark.facts} == mark.facts
    assert read_registration(stream).dag == "shop"


def test_import_does_not_overwrite_unless_it_is_told_to(call, stream, mark, tmp_path):
    file = tmp_path / "streams.json"
    file.write_text(call("export", stream))
    call("set", stream, "2026-11-01")

    assert "is at another position" in refused(call, "import", str(file))
    assert load(stream).values == ("2026-11-01",)
    call("import", str(file), "--replace")
    assert load(stream).values == mark.values


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"stream": "s"}]'])
def test_import_of_something_else_writes_nothing(call, tmp_path, text):
    file = tmp_path / "streams.json"
    file.write_text(text)
    before = metadata.variables()

    assert "nothing was written" in refused(call, "import", str(file))
    assert metadata.variables() == before


def test_export_of_an_unknown_stream_says_so(call, stream):
    assert f"stream {stream!r} has never begun" in refused(call, "export", stream)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe[", b"[" * 100_000, b'["\\ud800"]', b'[{"stream": "s", "store": 7, "since": "", "dag": null}]'],
)
def test_import_of_what_is_no_export_is_our_error(call, tmp_path, content):
    file = tmp_path / "streams.json"
    file.write_bytes(content)

    assert "nothing was written" in refused(call, "import", str(file))


def test_import_of_a_file_that_can_not_be_read_names_it(call, tmp_path):
    for file in (tmp_path / "missing.json", tmp_path, tmp_path / ("x" * 300)):
        message = refused(call, "import", str(file))
        assert message.startswith(f"ConfigurationError: the file {str(file)!r} can't be read: ")


@pytest.mark.parametrize("changed", [{}, {"values": []}, {"value": []}])
def test_import_of_a_watermark_that_lost_its_values_writes_nothing(call, stream, mark, tmp_path, changed):
    file = tmp_path / "streams.json"
    (one,) = json.loads(call("export", stream))
    del one["watermark"]["values"]
    file.write_text(json.dumps([{**one, "watermark": {**one["watermark"], **changed}}]))

    message = refused(call, "import", str(file), "--replace")

    assert message.startswith(
        f"DamagedWatermarkError: the watermark of stream {stream!r} in the file can't be understood"
    )
    assert f"`airflow legacy-events watermark set {stream} VALUE...`" in message
    assert load(stream) == mark


def test_export_escapes_what_would_move_a_terminal(call, stream, mark):
    odd = mark._replace(facts={**mark.facts, "topic": "\x9b2J\x7f"})
    VariableWatermarkStore().save(stream, odd, expected=mark)

    printed = call("export", stream)

    assert "\x9b" not in printed
    assert json.loads(printed)[0]["watermark"]["facts"]["topic"] == "\x9b2J\x7f"
