"""The visibility machine: sessions write in random order while streams run, and nothing may be missing in the end.

After the last commit and one more run, the topic of each stream equals its table: by id each row is there, by time and
by row version its last version. What a run claims is checked too, so that no loss hides behind `best_effort`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from airflow_legacy_events.core.report import Report
from airflow_legacy_events.sources.query.horizons import drain
from tests.machine.machine import Interrupted
from tests.machine.visibility.mysql_words import MariadbWords, MysqlWords
from tests.machine.visibility.words import PostgresWords, Written
from tests.machine.visibility.writers import Writers
from tests.services.base import wait_until
from tests.support.legacy import Legacy
from tests.support.streams import Deliveries

_SETTLE_EVERY = 500
_RUNS, _PREPARED = 0.06, 0.03
_LAST_SECONDS = 30.0
"""For transactions of others, which the last run waits for too."""


@dataclass
class Read:
    """A stream of a table, by one watermark column.

    Attributes:
        unfinished: whether its last run ended before its target.
    """

    table: Written
    column: str
    deliveries: Deliveries
    unfinished: bool = False

    def run(self, **limits: Any) -> Report:
        """Run once, and check what the run claims."""
        self.broker.open()
        report = self.deliveries.run(**limits)
        claimed = report.completeness, report.completeness_reason
        assert claimed[0] == self.table.reads[self.column], claimed
        self.unfinished = not report.target_reached
        return report

    @property
    def broker(self) -> Interrupted:
        """Of its topic."""
        assert isinstance(self.deliveries.broker, Interrupted)
        return self.deliveries.broker

    def sent(self) -> dict[int, int]:
        """Return the last version that was sent of each row."""
        found = (json.loads(message.value)["data"] for message in self.broker.topic("topic"))
        return {int(data["id"]): data["n"] for data in found}


class VisibilityMachine:
    """Writers and streams of one database.

    Args:
        legacy: the database, empty.
        seed: of the steps.
    """

    def __init__(self, legacy: Legacy, seed: int) -> None:
        self.legacy, self.rng, self.outcomes = legacy, random.Random(seed), Counter[str]()
        self.words: Any = PostgresWords() if legacy.dialect == "postgresql" else MysqlWords()
        if legacy.engine.name.startswith("mariadb"):
            self.words = MariadbWords()
        self.words.make(legacy)
        self.writers = Writers(legacy, self.words, self.rng)
        url = legacy.url.render_as_string(hide_password=False)
        self.reads = [
            Read(table, column, Deliveries(url, Interrupted(), "topic", table.name, f"{table.name} by {column}"))
            for table in self.words.tables
            for column in table.reads
        ]
        for read in self.reads:
            read.deliveries.options = {"watermark_columns": (read.column,)}

    def go(self, steps: int) -> Counter[str]:
        """Take so many steps; return how many of each kind there were."""
        try:
            for number in range(1, steps + 1):
                self._step()
                if number % _SETTLE_EVERY == 0 or number == steps:
                    self._settle(last=number == steps)
        finally:
            self.writers.close()
        self.outcomes.update(step.split()[-1] for step in self.writers.steps if step.split()[0].isdigit())
        return self.outcomes

    def _step(self) -> None:
        dice = self.rng.random()
        if dice < _RUNS:
            self._run(self.rng.choice(self.reads))
        elif dice < _RUNS + _PREPARED:
            self.writers.finish_prepared()
        else:
            self.writers.step()

    def _run(self, read: Read) -> None:
        """Run a stream that waits for nobody, while the writers go on between a page and its messages."""
        read.broker.before = self.writers.step if self.rng.random() < 0.3 else None
        limits = {"batch_rows": self.rng.choice((2, 7, 1000)), "max_rows": self.rng.choice((None, None, 5))}
        with _draining(0.0):
            report = read.run(**limits)
        read.broker.before = None
        self.writers.steps.append(f"run {read.deliveries.name}: {report.rows}")
        self.outcomes["runs"] += 1
        self.outcomes["held back"] += report.held_back is not None

    def _settle(self, *, last: bool) -> None:
        """End all transactions, run each stream once more, and compare its topic with its table."""
        self.writers.finish()
        with _draining(_LAST_SECONDS):
            for read in self.reads:
                if read.unfinished:
                    read.run()
                wanted = self._wanted(read, last=last)
                read.run()
                sent = read.sent()
                lost = [
                    key for key, n in wanted.items() if sent.get(key) != n and (read.column != "id" or key not in sent)
                ]
                assert not lost, f"{read.deliveries.name} lost {lost[:5]} of {len(wanted)}: {self.writers.steps[-60:]}"
                self.outcomes["compared"] += 1

    def _wanted(self, read: Read, *, last: bool) -> dict[int, int]:
        """Return the version of each row that the next run must have sent."""
        if read.column == "xmin":  # transactions of other databases hold it back
            [(last_one,)] = self.legacy.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            now = "SELECT 1 WHERE pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s"
            wait_until(lambda: self.legacy.execute(now, last_one), "the end of transactions of others", _LAST_SECONDS)
        if read.column != "said":
            return dict(self.legacy.execute(f"SELECT id, n FROM {read.table.name}"))
        over = f"SELECT id, n FROM {read.table.name} WHERE {self.words.tick}"
        if last:
            rows = f"SELECT count(*) FROM {read.table.name}"
            wait_until(lambda: len(self.legacy.execute(over)) == self.legacy.execute(rows)[0][0], "the next second")
        return dict(self.legacy.execute(over))


@contextmanager
def _draining(seconds: float) -> Iterator[None]:
    with mock.patch.object(drain, "DRAIN_SECONDS", seconds):
        yield
