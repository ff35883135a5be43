"""Runs of a sink are killed, stopped and cut off around each step: each message becomes a row exactly once.

The table has no key, so that nothing but the position can keep a message from coming twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.faults.cutting import CuttingProxy, cutting
from tests.faults.drains import DrainProcess, Nursery, nursery
from tests.faults.sink_jobs import STEPS, SinkJob
from tests.support.legacy import Legacy, legacy_database
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

PARTITIONS = 3
TRIALS = 250 if LONG else 10
ENGINES = ["postgresql-18", "mariadb-10.11"]
FAULTS = ("kill", "kill", "sudden", "twins", "zombie", "cut before", "cut behind", "ended")
APPENDED = {"table": "copied", "mode": "append", "metadata_columns": {"partition": "part", "offset": "place"}}
SESSIONS = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'",
    "mysql": "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx JOIN information_schema.processlist p"
    " ON p.id = trx_mysql_thread_id AND p.db = DATABASE()",
}


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    with nursery("tests.faults.sink_child") as found:
        yield found


@dataclass
class Sink:
    """A topic, its table, and runs between them.

    Attributes:
        legacy: the database.
        forks: starts runs.
        job: of a run.
        cutter: stands between runs and the database.
        producer: of messages.
        rng: chooses.
        sent: messages by partition.
    """

    legacy: Legacy
    forks: Nursery
    job: SinkJob
    cutter: CuttingProxy
    producer: Producer
    rng: random.Random
    sent: list[int] = field(default_factory=lambda: [0] * PARTITIONS)

    def produce(self) -> None:
        """Send between a few and some hundred messages."""
        for _ in range(self.rng.choice((1, 30, 200))):
            number = self.rng.randrange(PARTITIONS)
            self.producer.produce(self.job.topic, f'{{"n":{self.sent[number]}}}', partition=number)
            self.sent[number] += 1
        assert self.producer.flush(30) == 0

    def start(self, *stops: str) -> DrainProcess:
        return self.forks.start(replace(self.job, stops=stops, batch_rows=self.rng.choice((7, 50, 1000))))

    def at_step(self) -> DrainProcess | None:
        """Return a run that waits at a step of some batch; None if it ended before."""
        step, number = self.rng.choice(STEPS), self.rng.choice((1, 1, 2, 4))
        run = self.start(step)
        for behind in range(1, number + 1):
            if not run.reach(step, behind):
                return None
            if behind < number:
                run.go_on()
        return run

    def kill(self) -> None:
        if (run := self.at_step()) is not None:
            run.kill()

    def sudden(self) -> None:
        run = self.start()
        run.reach("never", seconds=self.rng.random() * 0.5)
        run.kill()

    def twins(self) -> None:
        """Two runs at once; one may give way."""
        runs = [self.start(), self.start()]
        for run in runs:
            run.end()

    def zombie(self) -> None:
        """A run stands still while its successor ends; what it still had to do changes nothing, and it is red."""
        if (run := self.at_step()) is None:
            return
        before = run.steps[-1]
        if before == "saved":  # it holds the position's row, which a successor would wait for
            run.kill()
            return
        self.start().end()
        counted = self.rows()
        run.go_on()
        while run.error is None and run.report is None:
            if not run.reach(before, run.steps.count(before) + 1, seconds=5):
                break
            run.go_on()
        run.end()
        assert self.rows() == counted

    def cut(self, how: str) -> None:
        self.cutter.done.clear()
        self.cutter.cut = how
        self.start().end()
        self.cutter.cut = ""

    def ended(self) -> None:
        """An administrator ends the session of a run within its transaction."""
        if (run := self.at_step()) is None:
            return
        found = self.legacy.execute(SESSIONS[self.legacy.dialect])
        if self.legacy.dialect == "mysql":
            for (number,) in found:
                self.legacy.execute(f"KILL {number}")
        run.go_on()
        while run.reach(run.steps[-1], run.steps.count(run.steps[-1]) + 1, seconds=1):
            run.go_on()
        run.kill()

    def rows(self) -> list[Any]:
        return sorted(self.legacy.execute("SELECT part, place, n FROM copied"))

    def check(self) -> None:
        """A run without a fault; then each message is there once.

        What a killed run has sent may take place only now, so the first try may find its position moved.
        """
        run = self.start().end()
        if run.error is not None and run.error[0] == "WatermarkError":
            run = self.start().end()
        assert run.error is None, run.error
        wanted = [(number, place, place) for number in range(PARTITIONS) for place in range(self.sent[number])]
        assert self.rows() == wanted


@pytest.fixture
def sink(request, kafka, topics, forks) -> Iterator[Sink]:
    with legacy_database(request, request.param) as legacy:
        legacy.execute("CREATE TABLE copied (part INT NOT NULL, place BIGINT NOT NULL, n BIGINT NOT NULL)")
        url = legacy.url
        with cutting(str(url.host), int(url.port or 0)) as cutter:
            address = url.set(host="127.0.0.1", port=cutter.port).render_as_string(hide_password=False)
            topic = topics.make(partitions=PARTITIONS)
            job = SinkJob(address, kafka.bootstrap, topic, "plain", APPENDED)
            producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 0})
            yield Sink(legacy, forks, job, cutter, producer, random.Random(20261130))


@pytest.mark.parametrize("sink", ENGINES, indirect=True)
def test_each_message_becomes_a_row_once_whatever_befalls_the_runs(sink):
    befell = dict.fromkeys(FAULTS, 0)
    for _ in range(TRIALS):
        sink.produce()
        fault = sink.rng.choice(FAULTS)
        befell[fault] += 1
        if fault.startswith("cut"):
            sink.cut(fault.split()[1])
        else:
            getattr(sink, fault)()
        sink.check()
    keep_figures(f"sink, {sink.legacy.engine.name}: {sum(sink.sent)} messages, {befell}")
