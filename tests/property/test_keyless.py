"""Rows without a key, drawn at random: whatever the pages and wherever a run dies, every copy arrives with its id."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.sources.query import QuerySource
from tests.support.crashes import Crash, Process, World
from tests.support.keyless import ids_of, lines

multisets = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["a", "b", None]), st.integers(1, 9)), max_size=6
).map(lambda drawn: [(tick, line) for tick, line, copies in drawn for _ in range(copies)])
crashes = st.lists(
    st.builds(
        Crash,
        st.sampled_from(["read", "encode", "publish", "confirm", "save"]),
        st.integers(1, 9),
        st.sampled_from(["before", "inside", "after"]),
        st.booleans(),
    ),
    max_size=3,
)


def run(path, world, batch_rows, watermark, crash=None):
    url = sa.URL.create("sqlite", database=str(path))
    database = SqliteDatabase(url, conn_id="crm", statement_timeout_seconds=30)
    source = QuerySource(
        database=database,
        stream="s",
        source="crm",
        table="t",
        watermark_columns=watermark,
        key_columns=(),
        limits=Limits(batch_rows=batch_rows),
    )
    process = Process(world, source, crash)
    process.envelope = CloudEventsEnvelope()
    try:
        process.run()
    finally:
        database.close()
    return process.relay.report


@settings(max_examples=60)
@given(rows=multisets, dying=crashes, batch_rows=st.integers(1, 8), watermark=st.sampled_from([(), ("n",)]))
def test_every_copy_of_a_random_multiset_arrives_and_has_one_id(rows, dying, batch_rows, watermark):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "legacy.db"
        with sqlite3.connect(path) as application:
            application.execute("CREATE TABLE t (n integer NOT NULL, line text)")
            application.executemany("INSERT INTO t VALUES (?, ?)", rows)
        application.close()
        whole, world = World(), World()
        run(path, whole, 10_000, watermark)
        done = any(run(path, world, batch_rows, watermark, crash).target_reached for crash in dying)
        if not done:
            assert run(path, world, batch_rows, watermark).target_reached
    assert set(ids_of(world)) == set(ids_of(whole))
    assert len(set(ids_of(whole))) == len(rows)
    assert lines(world) == Counter(line for _, line in rows)
