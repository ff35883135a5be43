"""A new key of a PostgreSQL row whose long values the log left out: they are read from the table."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from tests.support.crashes import STREAM
from tests.support.engines import of
from tests.support.log_runs import logged_source
from tests.support.slots import logged_database

LONG = "a long text " * 2_000
TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text, memo text, secret text)",
    *(f"ALTER TABLE orders ALTER {name} SET STORAGE EXTERNAL" for name in ("note", "memo", "secret")),
    f"INSERT INTO orders VALUES (1, '{LONG}', 'short', '{LONG}')",
)


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *TABLES) as found:
        yield found


class Event(NamedTuple):
    key: str | None
    id: str
    op: str
    data: dict[str, Any]
    unchanged: str | None


class Stream:
    """A stream from run to run."""

    def __init__(self, logged: Any, **options: Any) -> None:
        self.logged, self.options = logged, options
        self.mark: Watermark | None = None

    def run(self) -> list[Event]:
        events = []
        with closing(logged_source(self.logged, tables=["public.orders"], **self.options)) as source:
            opened = source.open(self.mark)
            for batch in opened.batches:
                if batch.count:
                    messages = CloudEventsEnvelope().compile(batch.shape, STREAM)(batch)
                    for key, value in zip(messages.keys, map(json.loads, messages.values), strict=True):
                        events.append(Event(key, value["id"], value["op"], value["data"], value.get("unchanged")))
                if batch.after is not None:
                    self.mark = batch.after._replace(facts={**opened.horizon.facts, **batch.after.facts})
        return events


@pytest.fixture
def stream(logged):
    found = Stream(logged)
    assert [event.op for event in found.run()] == ["r"]
    return found


def test_a_new_key_has_every_value(logged, stream):
    logged.execute("UPDATE orders SET id = 2, memo = 'shorter'")

    old, new = stream.run()

    assert (old.op, new.op) == ("d", "c")
    assert new.data == {"id": 2, "note": LONG, "memo": "shorter", "secret": LONG}
    assert new.unchanged is None
    assert new.id.count(":") == 1  # its checksum, since values are as they are now


def test_changes_before_and_behind_it_keep_their_order(logged, stream):
    logged.execute("INSERT INTO orders VALUES (2, 'a', 'b', 'c')")
    logged.execute("DELETE FROM orders WHERE id = 2")
    logged.execute("UPDATE orders SET id = 2")
    logged.execute("UPDATE orders SET memo = 'last' WHERE id = 2")

    events = stream.run()

    assert [(event.key, event.op) for event in events] == [
        ("2", "c"),
        ("2", "d"),
        ("1", "d"),
        ("2", "c"),
        ("2", "u"),
    ]
    assert events[3].data["note"] == LONG
    assert events[4].unchanged == '["note","secret"]'


def test_a_row_that_is_gone_names_what_the_log_left_out(logged, stream):
    logged.execute("UPDATE orders SET id = 2")
    logged.execute("DELETE FROM orders")

    _, new, gone = stream.run()

    assert new.data == {"id": 2, "memo": "short"}
    assert new.unchanged == '["note","secret"]'
    assert (gone.key, gone.op) == ("2", "d")


def test_an_excluded_column_is_neither_read_nor_named(logged):
    stream = Stream(logged, exclude_columns={"public.orders": ["secret"]})
    stream.run()
    logged.execute("UPDATE orders SET id = 2")
    logged.execute("UPDATE orders SET memo = 'last'")

    _, new, last = stream.run()

    assert new.data == {"id": 2, "note": LONG, "memo": "short"}
    assert last.unchanged == '["note"]'
