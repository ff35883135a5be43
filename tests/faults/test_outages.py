"""Whole streams from a real database to a real broker while one of them fails."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter

import psutil
import pytest

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.core.errors import DeliveryError, SourceError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.databases import database_of
from tests.support.engines import ENGINES, of
from tests.support.profile import LONG
from tests.support.streams import Deliveries
from tests.support.topics import Topics

SHORT = ("postgresql-15", "mariadb-10.11")
EVERY = tuple(name for name in of("postgresql", "mysql") if "CTE" not in ENGINES[name].lacks)
DATABASES = EVERY if LONG else SHORT
TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, note {text} NOT NULL)"


class WatchedStore(MemoryWatermarkStore):
    """Calls `then` once, after the first save of a delivered batch."""

    def __init__(self, then) -> None:
        super().__init__()
        self._then = then

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        super().save(stream, new, expected=expected)
        if new.values is not None and self._then is not None:
            then, self._then = self._then, None
            then()


def opened(kafka, *topics, seconds=60.0, **config):
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap, "log_level": 0, **config},
        stop=Stop(),
        delivery_timeout=dt.timedelta(seconds=seconds),
        topics=topics,
    )
    broker.open()
    return broker


def stream(database, broker, topic, **changed):
    changed = {"options": {"watermark_columns": ("id",)}, "name": f"legacy.orders@{topic}"} | changed
    return Deliveries(database.url, broker, topic, **changed)


@pytest.fixture(params=DATABASES)
def database(request):
    yield from made(request)


def made(request):
    """The empty table, in the database that the test's parameter names."""
    with database_of(request, request.param) as database:
        database.execute(TABLE.format(text="longtext" if "mysql" in database.url else "text"))
        yield database


def insert(database, rows, note):
    """The rows 1 to `rows`, whose note is an expression of their number `n`."""
    if "mysql" not in database.url:
        database.execute(f"INSERT INTO orders SELECT n, {note} FROM generate_series(1, {rows}) n")
        return
    [(version,)] = database.execute("SELECT VERSION()")
    limit = "max_recursive_iterations" if "MariaDB" in version else "cte_max_recursion_depth"
    series = f"WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
    database.execute(f"SET {limit} = {rows}; INSERT INTO orders {series} SELECT n, {note} FROM s")


@pytest.fixture
def ten_thousand(database):
    insert(database, 10_000, "repeat('x', CASE n WHEN 5000 THEN 200000 ELSE 300 END)")
    return database


@pytest.fixture(params=DATABASES if LONG else SHORT[1:])
def mariadb_first(request):
    """Where one database is enough for a short proof: MariaDB."""
    yield from made(request)


@pytest.fixture(params=DATABASES if LONG else SHORT[:1])
def postgres_first(request):
    """Where one database is enough for a short proof: PostgreSQL."""
    yield from made(request)


def test_one_row_too_large_becomes_one_dead_letter(ten_thousand, kafka, topics):
    topic, dead = topics.make(max_message_bytes="61440"), topics.make(max_message_bytes="1048576")
    report = stream(ten_thousand, opened(kafka, topic, dead), topic, dead_letter_topic=dead).run()
    assert (report.rows, report.events, report.rejected) == (10_000, 9_999, 1)
    assert len({message.key for message in topics.read(topic)}) == 9_999
    (letter,) = topics.read(dead)
    headers = dict(letter.headers)
    assert letter.key == headers["legacy-events-key"] == "5000"
    assert headers["legacy-events-stream"] == f"legacy.orders@{topic}"
    assert headers["legacy-events-error"] == "MSG_SIZE_TOO_LARGE"
    assert headers["legacy-events-position"] == '["5000"]'
    assert letter.event["data"] == {"id": 5000, "note": "x" * 200_000}


def test_without_a_dead_letter_topic_nothing_is_skipped(ten_thousand, kafka, topics):
    topic = topics.make(max_message_bytes="61440")
    run = stream(ten_thousand, opened(kafka, topic), topic)
    with pytest.raises(DeliveryError, match="dead_letter_topic=") as failure:
        run.run(batch_rows=1_000)
    assert [found.error for found in failure.value.rejected] == ["MSG_SIZE_TOO_LARGE"]
    assert run.store.load(run.name).values == ("4000",)


def test_a_rejected_dead_letter_fails_the_run(ten_thousand, kafka, topics):
    topic, dead = topics.make(max_message_bytes="61440"), topics.make(max_message_bytes="61440")
    run = stream(ten_thousand, opened(kafka, topic, dead), topic, dead_letter_topic=dead)
    with pytest.raises(DeliveryError, match="rejected 1 of them too"):
        run.run(batch_rows=1_000)
    assert run.store.load(run.name).values == ("4000",)
    assert topics.read(dead) == []


def test_a_small_queue_and_a_paused_broker_delay_the_run_only(mariadb_first, second_kafka):
    kafka = second_kafka()
    insert(mariadb_first, 60_000, "repeat('x', 300)")
    topic = Topics(kafka).make()
    broker = opened(kafka, topic, **{"queue.buffering.max.messages": 100})
    before = psutil.Process().memory_info().rss
    highest = []

    def pause():
        kafka.pause()
        threading.Timer(5, kafka.resume).start()
        threading.Timer(4.5, lambda: highest.append(psutil.Process().memory_info().rss)).start()

    run = stream(mariadb_first, broker, topic, store=WatchedStore(pause))
    assert run.run().events == 60_000
    assert len({message.key for message in Topics(kafka).read(topic)}) == 60_000
    assert highest[0] - before < 120 * 2**20


def test_a_broker_that_is_gone_fails_the_run_and_the_retry_completes(postgres_first, second_kafka):
    kafka = second_kafka()
    insert(postgres_first, 5_000, "'x'")
    topic = Topics(kafka).make()
    run = stream(postgres_first, opened(kafka, topic, seconds=3), topic, store=WatchedStore(kafka.kill))
    with pytest.raises(DeliveryError, match="not acknowledged within 3 s"):
        run.run(batch_rows=1_000)
    assert run.store.load(run.name).values == ("1000",)

    kafka.restart()
    run.broker = opened(kafka, topic)
    assert run.run(attempt=2).events == 4_000
    found = Counter(message.event["id"] for message in Topics(kafka).read(topic))
    assert set(found) == {str(number) for number in range(1, 5001)}
    assert all(found[str(number)] == 1 for number in range(1, 1001))


def cut_all_but_locks(database) -> None:
    """End every session that reads the database, and let those live that hold a lock of ours."""
    if "mysql" not in database.url:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name NOT LIKE 'legacy-events-%'"
        )
        return
    others = (
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        " AND (info IS NULL OR info NOT LIKE 'SELECT /* legacy-events%')"
    )
    for (number,) in database.execute(others):
        database.execute(f"KILL {number}")


def test_a_cut_connection_fails_the_run_and_the_retry_completes(database, kafka, topics):
    insert(database, 200_000, "repeat('x', 100)")
    topic = topics.make()
    run = stream(database, opened(kafka, topic), topic, store=WatchedStore(lambda: cut_all_but_locks(database)))
    with pytest.raises(SourceError, match="legacy"):
        run.run(batch_rows=1_000)
    delivered = int(run.store.load(run.name).values[0])
    assert 1_000 <= delivered < 200_000
    assert len(topics.read(topic)) == delivered

    assert run.run(attempt=2).events == 200_000 - delivered
    assert len({message.key for message in topics.read(topic)}) == 200_000


def test_two_tasks_on_one_table_and_two_topics_both_complete(ten_thousand, kafka, topics):
    first, second = topics.make(), topics.make()
    runs = [stream(ten_thousand, opened(kafka, topic), topic) for topic in (first, second)]
    reports = []
    threads = [threading.Thread(target=lambda run=run: reports.append(run.run(batch_rows=500))) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.events for report in reports] == [10_000, 10_000]
