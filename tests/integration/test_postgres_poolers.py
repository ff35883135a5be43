"""PgBouncer in front of PostgreSQL: what is read is right, or refused before anything is read."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.databases.postgres import listening, pooling, sessions
from airflow_legacy_events.databases.postgres.session import tell
from airflow_legacy_events.sources.query import QuerySource
from airflow_legacy_events.watermarks.table import TableWatermarkStore
from tests.services.pgbouncer import PgBouncer
from tests.support.engines import of
from tests.support.legacy import legacy_database, plain
from tests.support.outbox import Drain, create_outbox
from tests.support.profile import LONG
from tests.support.streams import Deliveries
from tests.support.way_back import applied, sent

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}
BOTH = of("postgresql", also=("postgresql-15",))
RUNS = 3 if LONG else 1
SETTINGS = {
    "transaction": {"default_pool_size": 3},
    "in turn": {"default_pool_size": 2, "server_round_robin": 1},
    "one": {"default_pool_size": 1},
    "reset": {"server_reset_query_always": 1},
    "statement": {},
}
POOLS = list(itertools.product(SETTINGS, (0, 3)))
SHORT = [("transaction", 0), ("transaction", 3), ("in turn", 0), ("one", 0), ("reset", 3), ("statement", 0)]
LEFT = "SELECT name FROM pg_settings WHERE source = 'session'"
NO_LEFTOVERS = {"application_name", "client_encoding", "transaction_isolation", "transaction_read_only"}
"""What the pooler itself sets for each client, and what a transaction had, which shows as if the session had it."""
ODD = {"intervalstyle": "sql_standard", "extra_float_digits": "-5", "datestyle": "German", "bytea_output": "escape"}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, took interval, share float8, at date, raw bytea)")
        found.execute(
            "INSERT INTO t SELECT n, '1 day 2 hours', 0.12345678901234567, '2026-11-29', 'x'"
            " FROM generate_series(1, 300) AS n"
        )
        for name, value in ODD.items():
            found.execute(f"ALTER DATABASE {found.url.database} SET {name} = '{value}'")
        yield found


@pytest.fixture
def pool(legacy):
    """Starts poolers in front of the database, and gives their URL."""
    with contextlib.ExitStack() as stack:

        def start(mode, **settings):
            pooler = PgBouncer(legacy.url, mode, **settings)
            stack.callback(pooler.stop)
            return pooler.url

        yield start


@contextlib.contextmanager
def others(url, number):
    """So many further clients of a pool, who never rest."""
    over = threading.Event()

    def work():
        with psycopg.connect(plain(url), autocommit=True, prepare_threshold=None) as connection:
            while not over.is_set():
                connection.execute("SELECT pg_sleep(0.002)")

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def deliveries(url):
    broker = MemoryBroker()
    options = {"watermark_columns": ("id",)}
    return Deliveries(url.render_as_string(hide_password=False), broker, "topic", table="t", options=options)


def forms(broker):
    """How many messages there are, and the values beside the key in all their forms."""
    found = [json.loads(message.value)["data"] for message in broker.topic("topic")]
    return len(found), {json.dumps({name: value for name, value in one.items() if name != "id"}) for one in found}


def locks(legacy):
    return legacy.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


@pytest.mark.parametrize("legacy", BOTH, indirect=True)
@pytest.mark.parametrize("busy", [0, 3], ids=["idle", "busy"])
def test_a_pool_of_whole_sessions_gives_what_the_server_gives(legacy, pool, busy):
    direct = deliveries(legacy.url)
    direct.run()
    url = pool("session", default_pool_size=busy + 2, server_reset_query="")
    with others(url, busy):
        for _ in range(RUNS):
            through = deliveries(url)
            assert through.run(batch_rows=100).target_reached
            assert forms(through.broker) == forms(direct.broker)
            assert forms(through.broker)[0] == 300


@pytest.mark.parametrize("legacy", BOTH, indirect=True)
@pytest.mark.parametrize(("name", "busy"), [one for one in POOLS if LONG or one in SHORT])
def test_any_other_pool_is_refused_before_anything_is_read(legacy, pool, name, busy):
    url = pool("statement" if name == "statement" else "transaction", **SETTINGS[name])
    with others(url, busy):
        for _ in range(RUNS):
            through = deliveries(url)
            with pytest.raises(ConfigurationError, match="pooler in transaction or statement mode") as error:
                through.run(batch_rows=100)
            assert "\nPoint the connection at the database's own port" in str(error.value)
            assert (through.broker.topic("topic"), through.store.load(through.name)) == ([], None)
            assert locks(legacy) == [(0,)]


@pytest.mark.parametrize("legacy", BOTH, indirect=True)
@pytest.mark.parametrize("name", ["transaction", "in turn", "one"])
def test_a_topic_is_applied_by_whole_transactions_through_any_pool_of_them(legacy, pool, name):
    broker = sent(legacy.url.render_as_string(hide_password=False), "cloudevents", watermark_columns=("id",))
    legacy.execute("CREATE TABLE copied (LIKE t INCLUDING ALL)")
    url = pool("transaction", **SETTINGS[name])
    with others(url, 3), psycopg.connect(plain(url), autocommit=True, prepare_threshold=None) as other:
        report = applied(
            broker, url.render_as_string(hide_password=False), "cloudevents", batch_rows=120, table="copied"
        )
        assert {name for (name,) in other.execute(LEFT)} <= NO_LEFTOVERS
    assert (report.rows, report.target_reached) == (300, True)
    assert legacy.execute("TABLE t EXCEPT TABLE copied") == legacy.execute("TABLE copied EXCEPT TABLE t") == []


def test_other_clients_of_a_pool_find_none_of_our_settings(legacy, pool):
    url = pool("transaction", default_pool_size=1)
    with psycopg.connect(plain(url), autocommit=True) as other:
        before = other.execute("SELECT name, setting FROM pg_settings WHERE source = 'session'").fetchall()
        with pytest.raises(ConfigurationError):
            legacy.engine.made(url, conn_id="crm", statement_timeout_seconds=30).now()
        assert other.execute("SELECT name, setting FROM pg_settings WHERE source = 'session'").fetchall() == before


def test_a_pool_with_one_session_does_not_hang(legacy, pool, monkeypatch):
    monkeypatch.setattr(sessions, "SECOND_SECONDS", 0.3)
    database = legacy.engine.made(pool("session", default_pool_size=1), conn_id="crm", statement_timeout_seconds=30)
    with pytest.raises(SourceError, match="gave no second session") as error:
        database.now()
    assert "default_pool_size" in str(error.value)
    database.close()


def test_who_only_looks_or_only_locks_is_refused_too(legacy, pool):
    database = legacy.engine.made(pool("transaction"), conn_id="crm", statement_timeout_seconds=30)
    source = QuerySource(
        database=database, stream="s", source="crm", table="t", watermark_columns=("id",), limits=Limits()
    )
    with pytest.raises(ConfigurationError, match="pooler"):
        source.pending(None)
    with pytest.raises(ConfigurationError, match="pooler"), database.lock("s", HOLDER):
        pass
    assert locks(legacy) == [(0,)]
    database.close()


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_an_outbox_is_drained_through_whole_sessions_only(legacy, pool, mode):
    create_outbox(legacy)
    legacy.execute(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload)"
        " SELECT 'order', n, 'made', '{}' FROM generate_series(1, 4) AS n"
    )
    drain = Drain(pool(mode), MemoryBroker())
    refused = contextlib.nullcontext() if mode == "session" else pytest.raises(ConfigurationError, match="pooler")
    with refused:
        drain.run()
    left, sent = legacy.execute("SELECT count(*) FROM outbox"), len(drain.broker.topic("outbox.event.order"))
    assert (left, sent) == (([(0,)], 4) if mode == "session" else ([(4,)], 0))


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
def test_only_a_whole_session_listens(legacy, pool, mode, monkeypatch):
    monkeypatch.setattr(listening, "_ARRIVAL_SECONDS", 2.0 if mode == "session" else 0.2)
    database = legacy.engine.made(pool(mode), conn_id="crm", statement_timeout_seconds=30)
    if mode != "session":
        with pytest.raises(ConfigurationError, match="pooler"), database.listen("news"):
            pass
        return
    with database.listen("news") as listener:
        legacy.execute("NOTIFY news")
        assert listener.wait()


def test_watermarks_in_a_table_need_no_session(pool):
    engine = sa.create_engine(pool("transaction", default_pool_size=1), poolclass=sa.NullPool)
    store, before = TableWatermarkStore(engine, "marks"), None
    for number in range(3):
        mark = Watermark((str(number),), None, {})
        store.save("s", mark, expected=before)
        before = store.load("s")
        assert before == mark


@pytest.mark.parametrize("changed", ["DateStyle = 'German'", "search_path = 'pg_catalog'", "row_security = on"])
@pytest.mark.parametrize(
    "reading",
    [
        lambda database: database.read(sa.select(sa.literal_column("1"))),
        lambda database: database.now(),
        lambda database: database.snapshot().__enter__(),
    ],
    ids=["page", "question", "snapshot"],
)
def test_each_read_finds_the_session_as_it_was(legacy, reading, changed):
    database = legacy.database()
    database.now()
    tell(database._session.connection, f"SET {changed}".encode())  # as another client of a pool would
    with pytest.raises(ConfigurationError, match="pooler"):
        reading(database)
    database.close()


def test_the_lock_stays_in_a_transaction_until_the_reader_has_looked_again(legacy):
    database = legacy.database()
    state = "SELECT state FROM pg_stat_activity WHERE application_name LIKE 'legacy-events-%'"
    with database.lock("s", HOLDER) as lease:
        lease.check()
        assert legacy.execute(state) == [("idle in transaction",)]
        database.now()
        lease.check()
        assert legacy.execute(state) == [("idle",)]
    database.close()


@pytest.mark.parametrize("with_lock", [False, True], ids=["another process", "the lock's"])
def test_a_look_that_finds_another_process_is_refused(with_lock):
    backend = pooling.Backend("crm", (7, "a"))
    backend.check((b"7", b"a"))
    with pytest.raises(ConfigurationError, match="connection 'crm' leads to a pooler"):
        backend.refuse(7) if with_lock else backend.check((8, "a"))


def test_a_lock_whose_session_answers_from_another_process_is_no_lock(legacy):
    database = legacy.database()
    with database.lock("s", HOLDER) as lease:
        lease._pid += 1
        with pytest.raises(ConfigurationError, match="pooler"):
            lease.check()
    database.close()


def test_a_stream_beside_a_lock_needs_three_whole_sessions_and_no_more(legacy, pool):
    database = legacy.engine.made(pool("session", default_pool_size=3), conn_id="crm", statement_timeout_seconds=30)
    query = sa.select(sa.column("id")).select_from(sa.table("t")).order_by(sa.column("id"))
    with database.lock("s", HOLDER) as lease, database.stream(query, 100, 10_000) as pages:
        found = [next(pages)]
        assert len(database.read(query)) == 300
        lease.check()
        found += pages
    assert [int(row[0]) for page in found for row in page] == list(range(1, 301))
    database.close()
