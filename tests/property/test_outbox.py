"""Any events, of which some can't be sent: what comes, in which order, and what stays."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import DeliveryError
from tests.support.outbox import Drain

FORMS = ["fine", "fine", "fine", "too large", "no time", "bad headers"]
EVENTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(FORMS)), max_size=14)
TABLE = """
CREATE TABLE outbox (id integer PRIMARY KEY AUTOINCREMENT, aggregatetype text, aggregateid text, type text,
  payload text, headers text, created_at datetime, sent boolean)
"""


def insert(connection, events):
    for aggregate, form in events:
        row = ("order", aggregate, "made", "x" * (50 if form == "too large" else 5))
        time = "soon" if form == "no time" else "2026-11-01 08:00:00"
        connection.execute(
            "INSERT INTO outbox (aggregatetype, aggregateid, type, payload, headers, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, "[]" if form == "bad headers" else None, time),
        )


def expected(events):
    """The ids that are sent, and those that stay: all behind the first of its aggregate that can't be sent."""
    held: set[str] = set()
    sent, left = [], []
    for number, (aggregate, form) in enumerate(events, 1):
        if form != "fine":
            held.add(aggregate)
        (left if aggregate in held else sent).append(number)
    return sent, left


@given(EVENTS, st.integers(1, 6), st.booleans())
def test_rows_that_can_t_be_sent_stay_with_what_comes_behind_them(events, batch_rows, mark):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "app.db"
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(TABLE)
        insert(connection, events)
        broker = MemoryBroker({"outbox.event.order": 20})
        marks = {"after_publish": "mark", "mark_column": "sent"} if mark else {}
        arguments = {"columns": {"headers": "headers"}, **marks}
        drain = Drain(sa.URL.create("sqlite", database=str(file)), broker, arguments=arguments)
        sent, left = expected(events)

        for again in (False, True):
            if left:
                with pytest.raises(DeliveryError, match=f"^{len(left)} rows were left at the source"):
                    drain.run(batch_rows=batch_rows)
            else:
                assert drain.run(batch_rows=batch_rows).rows == (0 if again else len(sent))
            found = [int(dict(one.headers)["id"]) for one in broker.topic("outbox.event.order")]
            stay = connection.execute("SELECT id FROM outbox WHERE sent IS NOT true ORDER BY id").fetchall()
            assert (found, [*itertools.chain(*stay)]) == (sent, left)
        connection.close()
