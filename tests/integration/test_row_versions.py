"""Streams by row versions (`watermark_columns=["xmin"]`): no row is missed, whatever its writers do."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import random

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, SourceError, WatermarkError
from airflow_legacy_events.core.model import Repeat, Watermark, Window
from tests.services.postgres import Postgres, Postgres18
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected
from tests.support.profile import LONG
from tests.support.standby import restartable
from tests.support.streams import Deliveries

BY_VERSION = {"watermark_columns": ("xmin",)}
WINDOW = Repeat("replay", Window(None, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), "s#r", beside_live=True)


@pytest.fixture(scope="module", params=(Postgres, Postgres18) if LONG else (Postgres18,))
def server(request):
    with restartable(request.param) as found:  # of its own: an open transaction of any database holds the horizon back
        yield found


@pytest.fixture
def legacy(server):
    with fresh_database(server) as database:
        url = sa.make_url(database.url)
        with contextlib.closing(connected(url)) as application:
            found = Legacy(ENGINES["postgresql-18"], url, application)
            found.execute("CREATE TABLE orders (id integer PRIMARY KEY, note text)")
            yield found


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def stream(legacy, broker):
    url = legacy.url.render_as_string(hide_password=False)
    return Deliveries(url=url, broker=broker, topic="orders", table="orders", options=BY_VERSION)


def sent(broker):
    return [json.loads(message.value)["data"] for message in broker.topic("orders")]


def rebuilt(broker):
    return {row["id"]: row["note"] for row in sent(broker)}


def table(legacy):
    return {int(key): note for key, note in legacy.execute("SELECT id, note FROM orders")}


def test_rows_come_once_and_again_when_they_change(legacy, broker, stream):
    legacy.execute("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 1000) AS n")
    report = stream.run(batch_rows=100)
    assert (report.rows, report.completeness, report.target_reached) == (1000, "exact", True)
    assert stream.run().rows == 0
    legacy.execute("UPDATE orders SET note = 'b' WHERE id % 100 = 0")
    legacy.execute("INSERT INTO orders VALUES (2000, 'new')")
    assert stream.run().rows == 11
    assert rebuilt(broker) == table(legacy)
    ids = [json.loads(message.value)["id"] for message in broker.topic("orders")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("low", [100, 2**32 - 10, 2**32, 7 * 2**32 - 3, 7 * 2**32 + 4])
def test_numbers_of_transactions_may_wrap_around(legacy, low):
    high = low + 20
    condition = legacy.database().row_versions("orders").written(low, high)
    written = [one for one in range(low - 40, high + 40) if one % 2**32 >= 3]
    rows = ", ".join(f"({one}::int8, '{one % 2**32}'::xid)" for one in written)
    found = legacy.execute(f"SELECT n FROM (VALUES {rows}) AS t (n, xmin) WHERE {condition} ORDER BY n")
    assert [int(one) for (one,) in found] == [one for one in written if low <= one < high]


def test_only_what_is_open_is_not_before_the_horizon(legacy):
    versions = legacy.database().row_versions("orders")
    for _ in range(3):
        legacy.execute("SELECT pg_current_xact_id()")
    following = versions.horizon().next
    numbers = [1, 2, 3, following - 3, following - 1, following, 2**31, 2**32 - 1]
    rows = ", ".join(f"('{one}'::xid)" for one in numbers)
    statement = f"SELECT xmin::text FROM (VALUES {rows}) AS t (xmin) WHERE {versions.written_before(following - 2)}"
    assert {int(one) for (one,) in legacy.execute(statement)} == {*numbers} - {following - 1}


def test_no_scan_where_no_transaction_ended_meanwhile(legacy, broker, stream):
    legacy.execute("INSERT INTO orders VALUES (1, 'a')")
    stream.run()
    before = legacy.execute("SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'orders'")
    assert stream.run().batches == 0
    assert legacy.execute("SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'orders'") == before


def test_a_writer_that_commits_late_is_not_missed(legacy, broker, stream):
    late = legacy.connect()
    late.autocommit = False
    late.execute("INSERT INTO orders VALUES (1, 'late')")
    legacy.execute("INSERT INTO orders VALUES (2, 'early')")
    for _ in range(3):
        stream.run()
    assert rebuilt(broker) == {}
    late.commit()
    assert stream.run().rows == 2
    late.close()
    assert rebuilt(broker) == table(legacy)


def test_the_first_pass_leaves_what_is_open_and_a_later_one_has_it(legacy, broker, stream):
    legacy.execute("INSERT INTO orders SELECT n, 'old' FROM generate_series(1, 50) AS n")
    late = legacy.connect()
    late.autocommit = False
    late.execute("UPDATE orders SET note = 'late' WHERE id = 7")
    legacy.execute("UPDATE orders SET note = 'above the horizon' WHERE id = 8")
    stream.run()
    assert {row["id"] for row in sent(broker)} == {*range(1, 51)} - {8}
    late.execute("INSERT INTO orders VALUES (51, 'later')")
    late.commit()
    late.close()
    stream.run()
    assert rebuilt(broker) == table(legacy)


def test_prepared_and_sub_transactions_are_waited_for(legacy, broker, stream):
    writer = legacy.connect()
    writer.autocommit = False
    writer.execute("SAVEPOINT s; INSERT INTO orders VALUES (1, 'sub'); RELEASE SAVEPOINT s")
    writer.execute(f"PREPARE TRANSACTION 'p_{legacy.url.database}'")
    writer.close()
    try:
        legacy.execute("INSERT INTO orders VALUES (2, 'after')")
        stream.run()
        assert rebuilt(broker) == {}
    finally:
        legacy.execute(f"COMMIT PREPARED 'p_{legacy.url.database}'")
    stream.run()
    assert rebuilt(broker) == table(legacy)


def test_frozen_rows_are_read_once(legacy, broker, stream):
    legacy.execute("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 100) AS n")
    legacy.execute("VACUUM (FREEZE) orders")
    assert stream.run().rows == 100
    legacy.execute("VACUUM (FREEZE) orders")
    assert stream.run().rows == 0


@pytest.mark.parametrize("rewrite", ["VACUUM (FULL) orders", "CLUSTER orders USING orders_pkey"])
def test_a_rewrite_within_a_pass_begins_it_again(legacy, broker, stream, rewrite):
    legacy.execute("INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 5000) AS n")
    assert not stream.run(batch_rows=100, max_rows=1000).target_reached
    legacy.execute("DELETE FROM orders WHERE id % 2 = 0")
    legacy.execute(rewrite)
    stream.run(batch_rows=100)
    stream.run(batch_rows=100)
    found = rebuilt(broker)
    assert {key: note for key, note in found.items() if key % 2} == table(legacy)


def test_a_run_that_was_cut_continues_at_its_place(legacy, broker, stream):
    legacy.execute("INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 5000) AS n")
    rows = [stream.run(batch_rows=500, max_rows=1700).rows for _ in range(3)]
    assert rows == [1700, 1700, 1600]
    assert len(broker.topic("orders")) == 5000
    assert rebuilt(broker) == table(legacy)


def test_a_table_that_was_emptied_and_filled_again_is_read(legacy, broker, stream):
    legacy.execute("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 10) AS n")
    stream.run()
    legacy.execute("TRUNCATE orders; INSERT INTO orders SELECT n, 'b' FROM generate_series(1, 10) AS n")
    assert stream.run().rows == 10


def test_a_first_run_may_begin_now(legacy, broker, stream):
    legacy.execute("INSERT INTO orders VALUES (1, 'a')")
    stream.options = {**BY_VERSION, "first_run": "now"}
    assert stream.run().rows == 0
    legacy.execute("INSERT INTO orders VALUES (2, 'b')")
    stream.run()
    assert rebuilt(broker) == {2: "b"}


def test_a_server_whose_transactions_went_back_is_refused(legacy, broker, stream):
    legacy.execute("INSERT INTO orders VALUES (1, 'a')")
    stream.run()
    kept = stream.store.load(stream.name)
    stream.store.save(stream.name, Watermark(("9999999999",), None, kept.facts), expected=kept)
    with pytest.raises(WatermarkError, match="the server's next one is"):
        stream.run()
    assert stream.store.load(stream.name).values == ("9999999999",)


def test_random_writers_leave_the_topic_equal_to_the_table(legacy, broker, stream):
    chance = random.Random(legacy.engine.name)
    writers = [legacy.connect() for _ in range(4)]
    for one in writers:
        one.autocommit = False
    known: dict[int, int] = {}
    for step in range(300):
        writer = chance.randrange(4)
        row = chance.randrange(writer * 20, writer * 20 + 20)
        what = chance.choice(["upsert", "upsert", "commit", "rollback", "run"])
        if what == "upsert":
            writers[writer].execute(
                f"INSERT INTO orders VALUES ({row}, '{step}') ON CONFLICT (id) DO UPDATE SET note = excluded.note"
            )
            known[row] = step
        elif what == "run":
            stream.run(batch_rows=7, max_rows=chance.choice([None, 11]))
        else:
            getattr(writers[writer], what)()
    for one in writers:
        one.commit()
        one.close()
    while not stream.run().target_reached or stream.run().rows:
        pass
    assert rebuilt(broker) == table(legacy)
    assert known


@pytest.mark.parametrize(
    ("options", "table", "says"),
    [
        ({"watermark_columns": ("xmin", "id")}, "orders", "stands alone"),
        ({"lag": dt.timedelta(seconds=5)}, "orders", "needs no lag"),
        ({"first_run": "17"}, "orders", "'all' or 'now'"),
        ({"null_watermark": "skip"}, "orders", "null_watermark"),
        ({"on_reset": "keep"}, "orders", "on_reset"),
        ({"key_columns": ()}, "orders", "needs a key"),
        ({"sql": "SELECT id FROM orders", "key_columns": ("id",)}, None, "is for table="),
        ({}, "shown", "this is a view"),
        ({}, "parts", "this is partitioned"),
        ({}, "copied", "this is a materialized view"),
    ],
)
def test_what_has_no_versions_of_its_own_is_refused(legacy, stream, options, table, says):
    legacy.execute("CREATE VIEW shown AS SELECT * FROM orders")
    legacy.execute("CREATE MATERIALIZED VIEW copied AS SELECT * FROM orders")
    legacy.execute("CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    stream.table, stream.options = table, {**BY_VERSION, **options}
    if table in ("shown", "copied"):
        stream.options["key_columns"] = ("id",)
    with pytest.raises(ConfigurationError, match="nothing was read") as refused:
        stream.run()
    assert says in str(refused.value)


def test_a_replay_is_refused(stream):
    with pytest.raises(ConfigurationError, match="has no replay"):
        stream.run(repeat=WINDOW)


def test_a_table_that_is_rewritten_again_and_again_ends_in_an_error(legacy, broker, stream, monkeypatch):
    legacy.execute("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 10) AS n")
    read = type(legacy.database()).read

    def rewriting(self, *arguments, **named):
        if "execution_options" in dir(arguments[0]) and "ctid" in str(arguments[0]):
            legacy.execute("VACUUM (FULL) orders")
        return read(self, *arguments, **named)

    monkeypatch.setattr(type(legacy.database()), "read", rewriting)
    with pytest.raises(SourceError, match="3 times while one run read it"):
        stream.run()


@pytest.mark.parametrize("end", ["PREPARE TRANSACTION 'elsewhere'", "SELECT 1"], ids=["prepared", "local"])
def test_who_holds_rows_back_is_found_in_any_database(server, legacy, stream, end):
    with fresh_database(server) as other:
        stream.run()
        with contextlib.closing(connected(sa.make_url(other.url))) as writer:
            writer.execute("BEGIN; CREATE TABLE t AS SELECT 1")
            writer.execute(end)
            legacy.execute("INSERT INTO orders VALUES (1, 'a'), (2, 'b')")
            report = stream.run()
            assert (report.rows, report.held_back["rows"], report.held_back["reason"]) == (0, 2, "open_transaction")
            blocker, local = report.held_back["blocker"], end == "SELECT 1"
            assert (blocker["database"], blocker["pid"]) == (other.name, writer.info.backend_pid if local else None)
            assert (blocker["gid"], report.held_back["oldest_seconds"] >= 0) == (None if local else "elsewhere", True)
            writer.execute("COMMIT" if local else "COMMIT PREPARED 'elsewhere'")
        report = stream.run()
        assert (report.rows, report.held_back) == (2, None)
