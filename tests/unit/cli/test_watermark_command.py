"""`airflow legacy-events watermark`, as a person calls it, on a real metadata database and a SQLite source."""

import argparse
import json
import sqlite3
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.watermarks import registration, variable
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import RegisteredWatermarkStore, read_registration
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata

RUN = {"dag": "shop", "task": "publish", "run": "r1", "map_index": -1, "try": 1, "host": "h", "pid": 7}


@pytest.fixture(autouse=True)
def _on_the_command_line(monkeypatch):
    with metadata.as_server():
        yield


@pytest.fixture
def shop(tmp_path):
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL)")
    connection.executemany(
        "INSERT INTO orders VALUES (?, ?)", [(number, f"2026-11-2{number} 09:15:02") for number in range(1, 6)]
    )
    connection.commit()
    metadata.put_connection("legacy_shop", conn_type="sqlite", host=str(file))
    metadata.put_connection("watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))
    return file


@pytest.fixture
def stream():
    return f"legacy_shop.orders@{uuid.uuid4()}"


@pytest.fixture
def mark(stream, shop):
    """A stream that a run has left behind."""
    mark = Watermark(
        ("2026-11-23 09:15:02", "42"),
        ([1, 5],),
        {
            "source": "legacy_shop",
            "server": {"path": "/old/shop.db", "application_id": "0"},
            "columns": [["updated_at", "TIMESTAMP"], ["id", "INTEGER"]],
            "watermark_columns": ["updated_at"],
            "key_columns": ["id"],
            "table": "orders",
            "topic": "legacy.orders",
            "run": "r1",
        },
    )
    RegisteredWatermarkStore(VariableWatermarkStore(), name="variable", dag="shop", task="publish").save(
        stream, mark, expected=None
    )
    return mark


@pytest.fixture
def call(capsys):
    """Returns a function that calls `airflow legacy-events watermark` and gives what it printed."""
    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for command in get_cli_commands():
        _add_command(commands, command)

    def call(*words):
        args = parser.parse_args(["legacy-events", "watermark", *words])
        args.func(args)
        return capsys.readouterr().out

    return call


def refused(call, *words):
    with pytest.raises(SystemExit) as ended:
        call(*words)
    return str(ended.value)


def load(stream):
    return VariableWatermarkStore().load(stream)


def test_show_gives_values_facts_and_registration(call, stream, mark):
    (found,) = json.loads(call("show", stream, "-o", "json"))

    assert found["watermark"] == "present"
    assert found["values"] == [
        {"column": "updated_at", "type": "TIMESTAMP", "text": "2026-11-23 09:15:02"},
        {"column": "id", "type": "INTEGER", "text": "42"},
    ]
    assert found["facts"]["topic"] == "legacy.orders"
    assert found["registration"]["store"] == "variable"
    assert found["registration"]["dag"] == "shop"


def test_show_prints_a_line_for_each_thing(call, stream, mark):
    lines = call("show", stream, "-o", "plain").splitlines()

    assert any(line.split() == ["id", "(INTEGER)", "42"] for line in lines)
    assert any(line.split() == ["facts.topic", "legacy.orders"] for line in lines)


def test_show_tells_an_empty_watermark_from_a_lost_one(call, stream, mark):
    metadata.drop_variable(variable.PREFIX + stream)
    assert json.loads(call("show", stream, "-o", "json"))[0]["watermark"] == "lost"

    VariableWatermarkStore().save(stream, Watermark(None, None, {}), expected=None)
    assert json.loads(call("show", stream, "-o", "json"))[0]["watermark"] == "empty"


def test_show_of_an_unknown_stream_says_so(call, stream):
    assert refused(call, "show", stream) == (
        f"ConfigurationError: stream {stream!r} has never begun: it has neither a watermark nor a registration"
    )


def test_show_of_a_broken_watermark_names_the_commands_that_mend_it(call, stream, mark):
    metadata.put_variable(variable.PREFIX + stream, "nonsense")

    message = refused(call, "show", stream)

    assert f"airflow legacy-events watermark set {stream} VALUE..." in message
    assert f"airflow legacy-events watermark forget {stream}" in message


def test_show_of_a_store_that_was_an_object_names_it(call, stream):
    RegisteredWatermarkStore(MemoryWatermarkStore(), name="my.Store").save(
        stream, Watermark(None, None, {}), expected=None
    )

    assert "lies in 'my.Store', a store that was passed as an object" in refused(call, "show", stream)


def test_set_replaces_the_values_and_tells_who_did_it(call, stream, mark):
    call("set", stream, "2026-11-01 00:00:00", "0")

    found = load(stream)
    assert found.values == ("2026-11-01 00:00:00", "0")
    assert found.receipt is None
    assert found.facts["person"]
    assert found.facts["set_at"]
    assert {name: found.facts[name] for name in mark.facts} == mark.facts


def test_set_takes_fewer_values_than_columns_but_not_more(call, stream, mark):
    call("set", stream, "2026-11-01")
    assert load(stream).values == ("2026-11-01",)

    message = refused(call, "set", stream, "1", "2", "3")
    assert "3 values were given, the watermark has 2 columns: updated_at (TIMESTAMP), id (INTEGER)" in message
    assert load(stream).values == ("2026-11-01",)


def test_set_without_anything_to_set_is_refused(call, stream, mark):
    assert "nothing to set" in refused(call, "set", stream)


def test_set_can_accept_the_server_of_today_and_leave_the_values(call, stream, mark, shop):
    call("set", stream, "--accept-server")

    found = load(stream)
    assert found.values == mark.values
    assert found.receipt == mark.receipt
    assert found.facts["server"] == {"application_id": "0", "path": str(shop.resolve())}


def test_set_mends_a_lost_watermark_once_it_is_told_the_connection(call, stream, mark):
    metadata.drop_variable(variable.PREFIX + stream)
    assert "Name it with --source-conn-id CONN_ID" in refused(call, "set", stream, "1")

    call("set", stream, "2026-11-01", "--source-conn-id", "legacy_shop")

    assert load(stream).values == ("2026-11-01",)
    assert load(stream).facts["source"] == "legacy_shop"


def test_set_mends_a_broken_watermark(call, stream, mark):
    metadata.put_variable(variable.PREFIX + stream, "nonsense")

    call("set", stream, "2026-11-01", "--source-conn-id", "legacy_shop")

    assert load(stream).values == ("2026-11-01",)


def test_set_leaves_a_watermark_that_something_hides(call, stream, mark, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_" + (variable.PREFIX + stream).upper(), "nonsense")

    assert "the environment variable AIRFLOW_VAR_" in refused(
        call, "set", stream, "1", "--source-conn-id", "legacy_shop"
    )
    monkeypatch.undo()
    assert load(stream) == mark


def test_forget_lets_the_stream_begin_anew(call, stream, mark):
    call("forget", stream)

    assert load(stream) is None
    assert read_registration(stream) is None
    assert not [key for key in metadata.variables() if stream in key]


def test_forget_mends_a_lost_stream(call, stream, mark):
    metadata.drop_variable(variable.PREFIX + stream)

    call("forget", stream, "--source-conn-id", "legacy_shop")

    assert registration.PREFIX + stream not in metadata.variables()


@pytest.mark.parametrize(
    "words",
    [
        ("set", "{}", "1"),
        ("set", "{}", "--accept-server"),
        ("forget", "{}"),
        ("rewind", "{}", "--by", "1h"),
        ("copy", "{}", "--to", "table:watermarks"),
    ],
)
def test_while_a_run_works_a_change_is_refused_with_its_name(call, stream, mark, words):
    database = LegacyDatabaseHook("legacy_shop").get_database()
    with database.lock(stream, RUN):
        message = refused(call, *(word.format(stream) for word in words))

    assert "dag 'shop', task 'publish', run 'r1'" in message
    assert load(stream) == mark


def test_a_run_that_meets_the_command_line_is_told_who_holds_the_lock(call, stream, mark, monkeypatch):
    from airflow_legacy_events.errors import BusyError

    seen = []

    def forget(self, name):
        with pytest.raises(BusyError) as busy, LegacyDatabaseHook("legacy_shop").get_database().lock(stream, RUN):
            raise AssertionError("two holders")
        seen.append(busy.value.holder)

    monkeypatch.setattr(VariableWatermarkStore, "forget", forget)
    call("forget", stream)

    assert "dag '(command line)', task 'watermark forget'" in seen[0]


def test_list_gives_a_line_for_every_stream_that_has_begun(call, stream, mark):
    odd = f"shop/{stream}?ü"
    RegisteredWatermarkStore(VariableWatermarkStore(), name="variable", dag="d", task="t").save(
        odd, Watermark(None, None, {}), expected=None
    )
    lost = f"lost.{stream}"
    RegisteredWatermarkStore(MemoryWatermarkStore(), name="my.Store").save(
        lost, Watermark(None, None, {}), expected=None
    )
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
        (("--to", "7"), "is no time"),
        (("--by", "7"), "goes back by a time such as 90s"),
        (("--by", "-1d"), "goes back by a time such as 90s"),
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


def test_a_dry_run_reads_no_column_that_the_operator_may_have_left_out_for_its_type(call, shop, stream):
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE places (id INTEGER PRIMARY KEY, shape)")
        connection.execute("INSERT INTO places VALUES (1, 'POINT(1 1)'), (2, 'POINT(2 2)')")
    metadata.put_connection(
        "legacy_gis", conn_type="generic", extra=json.dumps({"sqlalchemy_url": f"sqlite:///{shop}"})
    )
    facts = {"source": "legacy_gis", "columns": [["id", "INTEGER"]], "watermark_columns": ["id"], "key_columns": ["id"]}
    mark = Watermark(("1",), None, {**facts, "table": "places"})
    RegisteredWatermarkStore(VariableWatermarkStore(), name="variable").save(stream, mark, expected=None)

    assert "leave 2 rows to send" in call("forget", stream, "--dry-run")


def test_rewind_of_ids_goes_by_numbers(call, stream, mark):
    call("set", stream, "1000")
    call("rewind", stream, "--by", "10")
    assert load(stream).values == ("990",)
    call("rewind", stream, "--to", "5")
    assert load(stream).values == ("5",)


def test_the_value_of_a_rewind_is_sent_again_also_where_it_names_a_row(call, shop, stream):
    facts = {
        "source": "legacy_shop",
        "columns": [["id", "INTEGER"]],
        "watermark_columns": ["id"],
        "key_columns": ["id"],
    }
    mark = Watermark(("3",), None, {**facts, "table": "orders"})
    RegisteredWatermarkStore(VariableWatermarkStore(), name="variable").save(stream, mark, expected=None)

    assert "leave 4 rows to send" in call("rewind", stream, "--to", "2", "--dry-run")


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (("set", "{}", "2026-11-22 09:15:02", "2"), 3),
        (("set", "{}", "2026-11-22 09:15:02"), 4),
        (("rewind", "{}", "--by", "1d"), 4),
        (("forget", "{}"), 5),
    ],
)
def test_a_dry_run_counts_the_rows_to_send_and_changes_nothing(call, stream, mark, words, rows):
    before = metadata.variables()

    said = call(*(word.format(stream) for word in words), "--dry-run")

    assert f"would leave {rows} rows to send" in said
    assert "nothing was changed" in said
    assert metadata.variables() == before


def test_a_dry_run_of_a_query_needs_its_text(call, stream, mark):
    store = VariableWatermarkStore()
    store.save(stream, mark._replace(facts={**mark.facts, "table": None}), expected=mark)

    assert "Give --table or --sql" in refused(call, "forget", stream, "--dry-run")
    said = call("forget", stream, "--dry-run", "--sql", "SELECT * FROM orders WHERE id > 3")
    assert "would leave 2 rows" in said


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
    assert "it lies there already" in refused(call, "copy", stream, "--to", "variable")
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

    assert "stands elsewhere" in refused(call, "import", str(file))
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


def test_the_audit_log_keeps_who_ran_what(call, stream, mark):
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    call("rewind", stream, "--by", "1d")

    with create_session() as session:
        logged = session.scalars(select(Log).where(Log.event == "cli_watermark_rewind")).all()
        assert logged
        assert all(one.owner for one in logged)
