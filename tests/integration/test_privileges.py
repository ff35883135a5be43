"""The GRANTs that the documentation prints: a role that has these and nothing else can do what it says."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from functools import partial
from pathlib import Path

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Repeat, Watermark, Window
from airflow_legacy_events.sources.query import QuerySource
from tests.support.grants import named, singly
from tests.support.legacy import legacy_database
from tests.support.outbox import Drain, create_outbox
from tests.support.readers import ENGINES, Reader
from tests.support.set_back import IDS
from tests.support.stores import table
from tests.support.streams import Deliveries

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "privileges.md").read_text()
PRINTED = {
    label: [" ".join(one.split()) for one in statements.split(";") if one.strip()]
    for label, statements in re.findall(r"```sql\n-- ([^\n]*)\n(.*?)```", PAGE, re.DOTALL)
}
FURTHER = {
    title: re.findall(r"^\| `(GRANT [^`]*)`", part, re.MULTILINE)
    for title, part in (section.split("\n", 1) for section in PAGE.split("\n## ")[1:])
}
TITLES = {"postgresql": "PostgreSQL", "mysql": "MariaDB and MySQL"}
NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL"}

MARK = Watermark(("1",), None, {})
WINDOW = Repeat("replay", Window(None, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), "s#r", beside_live=True)
WAYS = {
    "table": ({"watermark_columns": ("id",)}, None),
    "time": ({"watermark_columns": ("at",)}, None),
    "query": ({"watermark_columns": ("id",), "key_columns": ("id",), "sql": "SELECT * FROM orders"}, None),
    "load": ({}, None),
    "replay": ({"watermark_columns": ("at",)}, WINDOW),
}


@pytest.fixture(params=ENGINES)
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute(f"CREATE TABLE orders (id {IDS[found.dialect]}, at timestamp NOT NULL, body varchar(20))")
        found.execute("CREATE VIEW open_orders AS SELECT id, at, body FROM orders WHERE id < 100")
        found.execute("INSERT INTO orders (at, body) VALUES ('2026-11-01 08:00:00', 'a'), ('2026-11-01 09:00:00', 'b')")
        yield found


@pytest.fixture
def reader(legacy):
    made = Reader(legacy)
    yield made
    made.drop()


def rights_of(statements):
    return [right for statement in statements for right in singly(statement)]


def printed(legacy, mode):
    return PRINTED[f"{NAMES[legacy.dialect]}, {mode}"]


def run(reader, way):
    options, repeat = WAYS[way]
    url, table = reader.url.render_as_string(hide_password=False), None if "sql" in options else "orders"
    return Deliveries(url=url, broker=MemoryBroker(), topic="topic", table=table, options=options).run(repeat=repeat)


@contextlib.contextmanager
def source(reader, way):
    """The source of a query, whose arguments a run checks before it takes the lock."""
    options = WAYS[way][0]
    table = None if "sql" in options else "orders"
    database = reader.legacy.engine.made(reader.url, conn_id="legacy", statement_timeout_seconds=60)
    with contextlib.closing(database):
        yield QuerySource(database=database, stream="s", source="legacy", table=table, **options)


def checked_run(reader, way):
    with source(reader, way) as found:
        found.check(getattr(WAYS[way][1], "what", None))
    return run(reader, way)


def look(reader):
    """What a sensor does."""
    with source(reader, "table") as found:
        return found.pending(None)


@contextlib.contextmanager
def outbox(reader, mode, **arguments):
    url, arguments = reader.url.render_as_string(hide_password=False), {"after_publish": mode, **arguments}
    found = Drain(url, MemoryBroker(), arguments=arguments)
    with contextlib.closing(found.database()) as database:
        yield found.relay(database).source


def checked_drain(reader, mode):
    with outbox(reader, mode) as found:
        found.check()
    return drain(reader, mode)


def look_at_outbox(reader, mode):
    """What a sensor of an outbox does."""
    with outbox(reader, mode) as found:
        return found.pending(None)


def drain(reader, mode):
    url = reader.url.render_as_string(hide_password=False)
    return Drain(url, MemoryBroker(), arguments={"after_publish": mode}).run()


def fill_outbox(legacy):
    create_outbox(legacy)
    add_row(legacy)


def add_row(legacy):
    legacy.execute("INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '1', 'Paid', '{}')")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_printed_for_a_query_is_enough(legacy, reader, way):
    reader.may(printed(legacy, "query"))
    report = run(reader, way)
    assert (report.events, report.target_reached) == (2, True)
    assert "GRANT SELECT" not in report.completeness_reason


@pytest.mark.parametrize("way", WAYS)
def test_for_every_way_of_reading_the_columns_that_it_reads_are_enough(legacy, reader, way):
    reader.may([one.replace("SELECT ON", "SELECT (id, at) ON") for one in printed(legacy, "query")])
    options, repeat = WAYS[way]
    options = (
        {**options, "sql": "SELECT id, at FROM orders"} if way == "query" else {**options, "columns": ("id", "at")}
    )
    url, table = reader.url.render_as_string(hide_password=False), None if way == "query" else "orders"
    stream = Deliveries(url=url, broker=MemoryBroker(), topic="topic", table=table, options=options)
    events = [stream.run(repeat=repeat).events for _ in range(2)]
    assert events == ([2, 2] if way in ("load", "replay") else [2, 0])
    legacy.execute("DELETE FROM orders WHERE body = 'b'")
    report = stream.run(repeat=repeat)
    assert report.events == (1 if way in ("load", "replay") else 0)


@pytest.mark.parametrize("mode", ["delete", "mark"])
def test_what_is_printed_for_an_outbox_is_enough(legacy, reader, mode):
    fill_outbox(legacy)
    reader.may(printed(legacy, f"outbox, {mode}"))
    assert drain(reader, mode).events == 1
    assert drain(reader, mode).events == 0


READS = {**{way: partial(checked_run, way=way) for way in WAYS}, "sensor": look}


def without_each(legacy, reader, mode):
    """Take each right away that is printed for a mode, and give it back behind the caller's look."""
    reader.may(printed(legacy, mode))
    for statement in printed(legacy, mode):
        for right in singly(statement):
            reader.may_no_more(right)
            yield right
            reader.may([right])


def error_of(work, *args):
    with pytest.raises(LegacyEventsError) as refused:
        work(*args)
    return str(refused.value)


@pytest.mark.parametrize("way", READS)
def test_each_right_of_a_query_that_is_taken_away_is_named(legacy, reader, way):
    for right in without_each(legacy, reader, "query"):
        error = error_of(READS[way], reader)
        assert named(error, reader) == [right], error


@pytest.mark.parametrize("mode", ["delete", "mark"])
def test_each_right_of_an_outbox_that_is_taken_away_is_named(legacy, reader, mode):
    fill_outbox(legacy)
    for right in without_each(legacy, reader, f"outbox, {mode}"):
        error = error_of(checked_drain, reader, mode)
        assert right in named(error, reader), error
        if " SELECT " in right:
            error = error_of(look_at_outbox, reader, mode)
            assert right in named(error, reader), error
        elif "SCHEMA" not in right and "DATABASE" not in right:
            assert look_at_outbox(reader, mode).rows == 1


def test_marked_rows_that_are_kept_for_a_time_need_delete_too(legacy, reader):
    create_outbox(legacy)
    for _ in range(2):  # the newest one stays
        add_row(legacy)
    legacy.execute("UPDATE outbox SET published_at = '2020-01-01 00:00:00'")
    reader.may(printed(legacy, "outbox, mark"))
    arguments = {"after_publish": "mark", "retention": dt.timedelta(days=1)}
    kept = Drain(reader.url.render_as_string(hide_password=False), MemoryBroker(), arguments=arguments)
    [right] = [one for one in rights_of(printed(legacy, "outbox, delete")) if "DELETE" in one]
    error = error_of(kept.run)
    assert named(error, reader) == [right], error
    reader.may([right])
    kept.run()
    assert legacy.execute("SELECT count(*) FROM outbox") == [(1,)]


def test_a_replay_of_an_outbox_needs_select_alone(legacy, reader):
    fill_outbox(legacy)
    legacy.execute("UPDATE outbox SET published_at = created_at")
    reading = [one for one in rights_of(printed(legacy, "outbox, mark")) if "UPDATE" not in one]
    reader.may(reading)
    window = Window(None, "2020-11-01T00:00:00Z", "2999-11-02T00:00:00Z")
    arguments = {"columns": {"timestamp": "created_at"}}
    with outbox(reader, "mark", **arguments) as found:
        assert sum(len(batch.rows) for batch in found.open(None, window).batches) == 1
    [select] = [one for one in reading if "SELECT" in one]
    reader.may_no_more(select)
    with outbox(reader, "mark", **arguments) as found:
        error = error_of(found.check, window)
    assert set(named(error, reader)) == {select}, error


def keep(place, stream):
    """All that a store does: a first save, a second one, and forgetting."""
    store = place.open()
    assert store.load(stream) is None
    store.save(stream, MARK, expected=None)
    store.save(stream, MARK._replace(values=("2",)), expected=MARK)
    store.forget(stream)


def test_each_right_of_a_watermark_table_that_is_taken_away_is_named(legacy, reader):
    def url(user):
        return user.set(drivername={"postgresql": "postgresql+psycopg", "mysql": "mysql+mysqldb"}[legacy.dialect])

    keep(table(url(legacy.url)), "made by the administrator")
    place = table(url(reader.url))
    for number, right in enumerate(without_each(legacy, reader, "table of watermarks")):
        error = error_of(keep, place, f"s{number}")
        assert [one for grant in named(error, reader) for one in singly(grant) if one == right], error
    keep(place, "with all of them")


def test_a_view_is_read_by_who_may_read_it_and_nothing_else(legacy, reader):
    reader.may([one.replace("orders", "open_orders") for one in printed(legacy, "query")])
    url = reader.url.render_as_string(hide_password=False)
    options = {"watermark_columns": ("id",), "key_columns": ("id",)}
    view = Deliveries(url=url, broker=MemoryBroker(), topic="topic", table="open_orders", options=options)
    report = view.run()
    assert report.events == 2
    hidden = "GRANT SHOW VIEW ON" in report.completeness_reason
    assert hidden == (legacy.dialect == "mysql")
    if hidden:
        reader.may(["GRANT SHOW VIEW ON crm.open_orders TO reader"])
        assert "GRANT SHOW VIEW" not in view.run().completeness_reason


def test_a_sequence_that_is_seen_tells_rows_that_were_deleted_from_ids_that_began_anew(legacy, reader):
    reader.may(printed(legacy, "query"))
    url = reader.url.render_as_string(hide_password=False)
    stream = Deliveries(url=url, broker=MemoryBroker(), topic="topic", table="orders")
    stream.options = {"watermark_columns": ("id",)}
    stream.run()
    legacy.execute("DELETE FROM orders")
    untold = "its next ids can't be seen" in stream.run().completeness_reason
    assert untold == (legacy.dialect == "postgresql")
    if untold:
        stream.store, stream.broker = type(stream.store)(), MemoryBroker()
        reader.may(["GRANT SELECT ON SEQUENCE orders_id_seq TO reader"])
        legacy.execute("INSERT INTO orders (at, body) VALUES ('2026-11-01 08:00:00', 'c')")
        stream.run()
        legacy.execute("DELETE FROM orders")
        assert "can't be seen" not in stream.run().completeness_reason


def test_every_further_right_that_is_printed_can_be_granted(legacy, reader):
    fill_outbox(legacy)
    statements = FURTHER[TITLES[legacy.dialect]]
    if "mariadb" not in legacy.engine.name:
        statements = [one for one in statements if "SLAVE MONITOR" not in one]
    reader.may(statements)
    reader.may(printed(legacy, "query"))
    assert run(reader, "table").events == 2
