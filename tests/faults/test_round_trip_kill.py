"""A table goes through a topic into another table while it is written and both tasks are killed: both are equal."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.faults.drains import Nursery, nursery
from tests.faults.sink_jobs import QueryJob, SinkJob
from tests.services.base import wait_until
from tests.support.legacy import Legacy, legacy_database
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

ROUNDS = 120 if LONG else 8
PARTITIONS = 3
OTHERS = 1_000_000
TABLE = "(id BIGINT PRIMARY KEY, n BIGINT NOT NULL, note VARCHAR(40), at {at} NOT NULL DEFAULT {now})"
TIMES = {
    "postgresql": ("TIMESTAMPTZ(6)", "clock_timestamp()"),
    "mysql": ("TIMESTAMP(6)", "CURRENT_TIMESTAMP(6)"),
}


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    with nursery("tests.faults.sink_child") as found:
        yield found


class Application(threading.Thread):
    """Inserts and updates rows of the table until it is stopped."""

    def __init__(self, legacy: Legacy) -> None:
        super().__init__(daemon=True)
        self._legacy, self._now = legacy, TIMES[legacy.dialect][1]
        self.over = threading.Event()

    def run(self) -> None:
        rng, connection, ids = random.Random(1), self._legacy.connect(), 0
        insert = "INSERT INTO orders (id, n, note) VALUES (%s, %s, %s)"
        update = f"UPDATE orders SET n = %s, note = %s, at = {self._now} WHERE id = %s"
        for number in itertools.count():
            if self.over.wait(0.002):
                break
            note = rng.choice((None, "", "x\\n\\t", f"note {number} \u00e4"))
            if ids == 0 or rng.random() < 0.4:
                ids += 1
                connection.execute(insert, (ids, number, note))
            else:
                connection.execute(update, (number, note, rng.randint(1, ids)))
        connection.close()


@contextmanager
def writing(legacy: Legacy) -> Iterator[None]:
    application = Application(legacy)
    application.start()
    try:
        yield
    finally:
        application.over.set()
        application.join(30)


class Others:
    """A transactional producer on the same topic: rows of other keys, and aborted ones of the table's keys."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic, self._ids, self.rows = topic, itertools.count(OTHERS), list[int]()
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"others-{topic}"})
        self._producer.init_transactions(30)

    def write(self, rng: random.Random) -> None:
        commit = rng.random() < 0.5
        self._producer.begin_transaction()
        for _ in range(rng.randint(1, 20)):
            number = next(self._ids) if commit else rng.randint(1, 50)
            if commit:
                self.rows.append(number)
            data = f'{{"id":{number},"n":-1,"note":null,"at":"2026-01-01T00:00:00Z"}}'
            event = f'{{"specversion":"1.0","id":"{number}","source":"/o","type":"o","op":"u","data":{data}}}'
            self._producer.produce(self._topic, event, str(number))
        if commit:
            self._producer.commit_transaction(30)
        else:
            self._producer.flush(30)
            self._producer.abort_transaction(30)


def made(legacy: Legacy, name: str) -> None:
    at, now = TIMES[legacy.dialect]
    legacy.execute(f"CREATE TABLE {name} {TABLE.format(at=at, now=now)}")


def url_of(legacy: Legacy) -> str:
    return legacy.url.render_as_string(hide_password=False)


def befall(rng: random.Random, forks: Nursery, job: Any) -> int:
    """Start a run, and kill it at some moment; return whether it was killed."""
    run = forks.start(job)
    run.reach("never", seconds=rng.random() * 1.5)
    run.kill()
    return int(run.killed)


def whole(forks: Nursery, job: Callable[[], Any]) -> None:
    """Run until a run reads all: what a killed one has sent may still take place, and the last second is not over."""

    def reads_all() -> bool:
        run = forks.start(job()).end()
        assert run.error is None or run.error[0] in ("WatermarkError", "BusyError"), run.error
        return run.report is not None and run.report.held_back is None

    wait_until(reads_all, "a run that reads all rows")


def rows(legacy: Legacy, table: str) -> list[Any]:
    found = legacy.execute(f"SELECT id, n, note, at FROM {table} WHERE id < {OTHERS} ORDER BY id")
    return [(*row, at.replace(tzinfo=None)) for *row, at in found]


@pytest.mark.parametrize(("source", "target"), [("mariadb-10.11", "postgresql-18"), ("postgresql-18", "mariadb-10.11")])
def test_both_tables_are_equal(request, kafka, topics, forks, tmp_path, source, target):
    rng, topic = random.Random(20261130), topics.make(partitions=PARTITIONS)
    others = Others(kafka.bootstrap, topic)
    with legacy_database(request, source) as legacy, legacy_database(request, target) as copy:
        made(legacy, "orders")
        made(copy, "copied")
        tries, killed = itertools.count(1), 0
        query = lambda: QueryJob(url_of(legacy), kafka.bootstrap, topic, str(tmp_path), 20, next(tries))  # noqa: E731
        sink = SinkJob(url_of(copy), kafka.bootstrap, topic, "cloudevents", {"table": "copied"}, 40)
        with writing(legacy):
            for _ in range(ROUNDS):
                others.write(rng)
                killed += befall(rng, forks, rng.choice((query, lambda: sink))())
        whole(forks, query)
        whole(forks, lambda: sink)
        wanted = rows(legacy, "orders")
        assert rows(copy, "copied") == wanted
        assert [
            key for (key,) in copy.execute(f"SELECT id FROM copied WHERE id >= {OTHERS} ORDER BY id")
        ] == others.rows
    keep_figures(
        f"{source} to {target}: {len(wanted)} rows, {len(others.rows)} others, {killed} of {ROUNDS} runs killed"
    )
