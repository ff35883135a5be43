"""`airflow legacy-events watermark`, as a person calls it, on a real metadata database and a SQLite source."""

import json

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.printable import printable
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.watermarks import registration, variable
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import read_registration
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.commands import load, refused
from tests.support.registered import Registered

RUN = {"dag": "shop", "task": "publish", "run": "r1", "map_index": -1, "try": 1, "host": "h", "pid": 7}


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


def test_show_shows_columns_too_that_a_person_broke(call, stream, mark):
    content = json.loads(metadata.variables()[variable.PREFIX + stream])
    content["facts"]["columns"] = [["updated_at"], 5]
    metadata.put_variable(variable.PREFIX + stream, json.dumps(content))

    (found,) = json.loads(call("show", stream, "-o", "json"))
    assert [(one["column"], one["text"]) for one in found["values"]] == [(None, one) for one in mark.values]
    assert "holds a fact 'columns' that can't be understood" in refused(call, "set", stream, "2026-11-01")
    assert "holds a fact 'columns' that can't be understood" in refused(call, "forget", stream, "--dry-run")


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
    Registered(MemoryWatermarkStore(), name="my.Store").save(stream, Watermark(None, None, {}), expected=None)

    assert "is in 'my.Store', a store that was passed as an object" in refused(call, "show", stream)


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
    assert "3 values were given, but the watermark has 2 columns: updated_at (TIMESTAMP), id (INTEGER)" in message
    assert load(stream).values == ("2026-11-01",)


def test_set_without_anything_to_set_is_refused(call, stream, mark):
    assert "nothing to set" in refused(call, "set", stream)


def test_set_can_accept_the_server_of_today_and_leave_the_values(call, stream, mark, shop):
    call("set", stream, "--accept-server")

    found = load(stream)
    assert found.values == mark.values
    assert found.receipt == mark.receipt
    assert found.facts["server"] == {"application_id": "0", "path": str(shop.resolve())}


FACTS = {
    "object": {"oid": 1},
    "last": ["0123456789ab"],
    "order": {"id": "C"},
    "definition": "0123",
    "topic_id": "abc",
    "reached": {"change_counter": 1},
}


@pytest.mark.parametrize(
    ("what", "gone"),
    [
        ("object", {"object", "last"}),
        ("order", {"order"}),
        ("definition", {"definition"}),
        ("topic", {"topic_id"}),
    ],
)
def test_set_can_accept_what_is_there_by_the_next_run(call, stream, mark, what, gone):
    with_facts(stream, mark)
    assert f"{what} accepted as it is now" in call("set", stream, "--accept", what)
    found = load(stream)
    assert found.values == mark.values
    assert FACTS.keys() - found.facts.keys() == gone


def test_set_lets_go_of_what_was_known_of_the_rows_at_the_old_values(call, stream, mark):
    with_facts(stream, mark)
    call("set", stream, "2026-11-01", "7")
    assert FACTS.keys() - load(stream).facts.keys() == {"last"}


@pytest.mark.parametrize("what", ["position", "server"])
def test_set_can_accept_how_far_the_server_is(call, stream, mark, what):
    with_facts(stream, mark)
    call("set", stream, "--accept", what)
    assert load(stream).facts["reached"] not in (None, FACTS["reached"])


def test_set_accepts_nothing_else(call, stream, mark, capsys):
    with pytest.raises(SystemExit):
        call("set", stream, "--accept", "anything")
    assert "invalid choice: 'anything'" in capsys.readouterr().err


def with_facts(stream, mark):
    store = VariableWatermarkStore()
    store.save(stream, mark._replace(facts={**mark.facts, **FACTS}), expected=store.load(stream))


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


def test_the_audit_log_keeps_who_ran_what(call, stream, mark):
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    call("rewind", stream, "--by", "1d")

    with create_session() as session:
        logged = session.scalars(select(Log).where(Log.event == "cli_watermark_rewind")).all()
        assert logged
        assert all(one.owner for one in logged)


NAMES = ("[/b]", "[abc] x", "\x1b[31mred", "a\x9b2Jb", ":heart:", "[bold]x[/bold]\\")


@pytest.mark.parametrize("output", ["table", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_what_looks_like_markup_or_moves_a_terminal_is_printed_as_it_reads(call, stream, mark, name, output):
    odd = f"{stream}{name}"
    store = Registered(VariableWatermarkStore(), name="variable", dag=name, task=name)
    store.save(odd, mark._replace(values=(name, name), facts={**mark.facts, "topic": name}), expected=None)

    for printed in (call("show", odd, "-o", output), call("list", "-o", output)):
        text = "".join(printed.split())
        assert "".join(printable(name).split()) in text
        assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)
    (found,) = json.loads(call("show", odd, "-o", "json"))
    assert [one["text"] for one in found["values"]] == [name, name]
    registration.remove_registration(odd)


def test_an_error_moves_no_terminal(call):
    assert "\x1b" not in refused(call, "show", "x\x1b[31m")


@pytest.mark.parametrize("words", [("show", "\udcff"), ("set", "s", "1", "\udcff"), ("copy", "s", "--to", "a\udcff")])
def test_bytes_that_are_no_utf_8_are_refused(call, words):
    assert "holds bytes that are not UTF-8; nothing was changed" in refused(call, *words)


def test_a_watermark_that_is_broken_or_lost_has_no_server_to_accept(call, stream, mark):
    for break_it in (lambda key: metadata.put_variable(key, "{}"), metadata.drop_variable):
        break_it(variable.PREFIX + stream)

        message = refused(call, "set", stream, "--accept-server", "--source-conn-id", "legacy_shop")

        assert "has no readable watermark whose server could be accepted. Give its new VALUEs" in message
    assert variable.PREFIX + stream not in metadata.variables()


@pytest.mark.parametrize("changed", [{"values": []}, {"values": None}, {"value": []}])
def test_a_variable_that_lost_its_values_is_refused_and_set_mends_it(call, stream, mark, changed):
    content = json.loads(metadata.variables()[variable.PREFIX + stream])
    del content["values"]
    metadata.put_variable(variable.PREFIX + stream, json.dumps({**content, **changed}))

    assert f"`airflow legacy-events watermark set {stream} VALUE...`" in refused(call, "show", stream)

    call("set", stream, "2026-11-01", "--source-conn-id", "legacy_shop")
    assert load(stream).values == ("2026-11-01",)
