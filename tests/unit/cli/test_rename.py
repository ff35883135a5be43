"""`airflow legacy-events watermark rename`, on a real metadata database and a SQLite source."""

import json
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams.directory import renaming
from airflow_legacy_events.watermarks import registration, variable
from airflow_legacy_events.watermarks.asset import watermark_asset
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import read_registration
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.commands import load, refused
from tests.support.registered import Registered

RUN = {"dag": "shop", "task": "publish", "run": "r1", "map_index": -1, "try": 1, "host": "h", "pid": 7}


@pytest.fixture
def stream():
    return f"legacy_shop.orders@{uuid.uuid4()}"


@pytest.fixture
def new(stream):
    return stream.replace(".orders@", ".sales@")


@pytest.fixture
def mark(stream, mark):
    """The stream under the name that follows from its facts, which also hold what a topic and a query are known by."""
    facts = {**mark.facts, "topic": stream.partition("@")[2], "topic_id": "x", "query": "f", "last": ["a"]}
    now = mark._replace(facts=facts)
    VariableWatermarkStore().save(stream, now, expected=mark)
    return now


def test_position_receipt_facts_and_registration_go_along(call, stream, new, mark):
    before = read_registration(stream)
    said = call("rename", stream, new)

    found = load(new)
    assert (found.values, found.receipt) == (mark.values, mark.receipt)
    gone = {"table", "query"}
    assert {name: fact for name, fact in found.facts.items() if name in mark.facts} == {
        name: fact for name, fact in mark.facts.items() if name not in gone
    }
    assert found.facts["renamed_from"] == stream
    assert found.facts["person"]
    assert read_registration(new) == before
    assert load(stream) is None
    assert read_registration(stream) is None
    assert f"renamed to {new!r}, by {found.facts['person']}; the next run fills in table, query" in said


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("legacy_shop.orders@other", {"topic", "topic_id"}),
        ("legacy_again.orders@{topic}", set()),
        ("legacy_shop.sales@other", {"topic", "topic_id", "table", "query"}),
        ("orders, all of them", set()),
    ],
)
def test_only_facts_that_the_name_makes_wrong_are_left_out(call, stream, mark, shop, name, dropped):
    metadata.put_connection("legacy_again", conn_type="sqlite", host=str(shop))
    name = name.format(topic=mark.facts["topic"])
    name = name if name.endswith(mark.facts["topic"]) else f"{name}-{uuid.uuid4().hex}"
    call("rename", stream, name)
    found = load(name).facts
    assert mark.facts.keys() - found.keys() == dropped
    assert found["source"] == ("legacy_again" if name.startswith("legacy_again.") else "legacy_shop")


def test_names_of_ones_own_say_nothing_of_table_and_topic(call, stream, mark):
    old, new = f"a {uuid.uuid4()}", f"b {uuid.uuid4()}"
    Registered(VariableWatermarkStore(), name="variable").save(old, mark, expected=None)
    call("rename", old, new)
    assert mark.facts.items() <= load(new).facts.items()


def test_a_dry_run_changes_nothing(call, stream, new, mark):
    said = call("rename", stream, new, "--dry-run")
    assert f"would be renamed to {new!r}; the next run fills in table, query; nothing was changed" in said
    assert (load(stream), load(new), read_registration(new)) == (mark, None, None)


def test_a_stream_that_never_began_is_refused(call, stream, new, shop):
    assert f"stream {stream!r} has never begun: there is nothing to rename" in refused(call, "rename", stream, new)


def test_a_lost_watermark_is_refused(call, stream, new, mark):
    metadata.drop_variable(variable.PREFIX + stream)
    assert f"holds no watermark of stream {stream!r}: it is lost" in refused(call, "rename", stream, new)


def test_a_broken_watermark_is_refused(call, stream, new, mark):
    metadata.put_variable(variable.PREFIX + stream, "nonsense")
    assert "can't be understood" in refused(call, "rename", stream, new)
    assert read_registration(new) is None


@pytest.mark.parametrize("registered", [True, False])
def test_a_name_that_is_taken_is_refused(call, stream, new, mark, registered):
    other = Watermark(("1",), None, {})
    VariableWatermarkStore().save(new, other, expected=None)
    if registered:
        registration.write_registration(new, read_registration(stream))
    message = refused(call, "rename", stream, new)
    assert f"stream {new!r} has begun already" in message
    assert f"`airflow legacy-events watermark forget {new}`" in message
    assert (load(stream), load(new)) == (mark, other)


def test_its_own_name_is_refused(call, stream, mark):
    assert "has that name already" in refused(call, "rename", stream, stream)


@pytest.mark.parametrize("working", ["old", "new"])
def test_while_a_run_works_nothing_is_changed(call, stream, new, mark, working):
    database = LegacyDatabaseHook("legacy_shop").get_database()
    with database.lock(stream if working == "old" else new, RUN):
        message = refused(call, "rename", stream, new)
    assert "is being worked on by dag 'shop'" in message
    assert (load(stream), load(new), read_registration(new)) == (mark, None, None)


def test_a_connection_that_is_gone_is_named_with_the_one_to_use(call, mark, stream):
    old, new = f"removed.orders@{uuid.uuid4()}", f"legacy_shop.orders@{uuid.uuid4()}"
    facts = {**mark.facts, "source": "removed", "topic": old.partition("@")[2]}
    Registered(VariableWatermarkStore(), name="variable").save(old, mark._replace(facts=facts), expected=None)
    assert "connection 'removed' was not found" in refused(call, "rename", old, new)
    call("rename", old, new, "--source-conn-id", "legacy_shop")
    assert load(new).facts["source"] == "legacy_shop"


class DiesError(Exception):
    """The process dies here."""


@pytest.mark.parametrize("at", ["write_registration", "remove_registration"])
def test_one_that_broke_off_goes_on(call, stream, new, mark, monkeypatch, at):
    def die(*_):
        raise DiesError

    with monkeypatch.context() as patched:
        patched.setattr(renaming, at, die)
        with pytest.raises(DiesError):
            call("rename", stream, new)
    assert load(new).values == mark.values
    if load(stream) is None:
        VariableWatermarkStore().save(stream, mark, expected=None)
    call("rename", stream, new)
    assert load(new).values == mark.values
    assert (load(stream), read_registration(stream)) == (None, None)
    assert read_registration(new) is not None


def test_in_a_table_likewise(call, stream, new, mark):
    call("copy", stream, "--to", "table:watermarks")
    call("rename", stream, new)
    (found,) = json.loads(call("show", new, "-o", "json"))
    assert found["registration"]["store"] == "table:watermarks"
    assert [one["text"] for one in found["values"]] == list(mark.values)
    assert "has never begun" in refused(call, "show", stream)


@pytest.mark.airflow33
def test_in_the_state_of_assets_likewise(call, stream, new, mark):
    for name in (stream, new):
        asset = watermark_asset(name)
        metadata.activate_asset(asset.name, asset.uri)
    call("copy", stream, "--to", "asset")
    call("rename", stream, new)
    (found,) = json.loads(call("show", new, "-o", "json"))
    assert found["registration"]["store"] == "asset"
    assert [one["text"] for one in found["values"]] == list(mark.values)


def test_a_store_that_was_an_object_is_named(call, stream, new):
    Registered(MemoryWatermarkStore(), name="my.Store").save(stream, Watermark(None, None, {}), expected=None)
    assert "is in 'my.Store', a store that was passed as an object" in refused(call, "rename", stream, new)


def test_the_audit_log_keeps_who_renamed_what(call, stream, new, mark):
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    call("rename", stream, new)
    with create_session() as session:
        logged = session.scalars(select(Log).where(Log.event == "cli_watermark_rename")).all()
        assert logged
        assert all(one.owner for one in logged)
