"""The visibility machine: sessions write in random order while streams run, and nothing may be missing in the end.

After the last commit and one more run, the topic of each stream equals its table: by id each row is there, by time and
by row version its last version. What a run claims is checked too, so that no loss hides behind `best_effort`.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

from airflow_legacy_events.sources.query.horizons import drain
from tests.machine.machine import Interrupted
from tests.machine.visibility.mysql_words import MariadbWords, MysqlWords
from tests.machine.visibility.streams import Read, probe_of
from tests.machine.visibility.words import PostgresWords
from tests.machine.visibility.writers import Writers
from tests.services.base import wait_until
from tests.support.legacy import Legacy, connected
from tests.support.streams import Deliveries

_SETTLE_EVERY = 500
_RESTARTS = 0.01
_WAITS = (0.0, 0.0, 0.02)
"""Seconds that a run waits for open transactions; the writers take steps meanwhile."""
_LAST_SECONDS = 30.0
"""For transactions of others, which the last run waits for too."""


class VisibilityMachine:
    """Writers and streams of one database.

    Args:
        legacy: the database, empty.
        seed: of the steps.
        restart: ends the server and starts it again; None: it is not restarted.
    """

    def __init__(self, legacy: Legacy, seed: int, restart: Callable[[], None] | None = None) -> None:
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
        self.probes: dict[str, Any] = {}
        self._server_restart, self._opened = restart, ExitStack()
        for read in self.reads:
            read.deliveries.options = {"watermark_columns": (read.column,)}

    def go(self, steps: int) -> Counter[str]:
        """Take so many steps; return how many of each kind there were."""
        with self._opened:
            self._opened.callback(self.writers.close)
            self._probe()
            shares = {**self.words.shares, "restart": _RESTARTS if self._server_restart else 0.0}
            for number in range(1, steps + 1):
                [step] = self.rng.choices(list(shares), list(shares.values()))
                getattr(self, f"_{step}")()
                if number % _SETTLE_EVERY == 0 or number == steps:
                    self._settle(last=number == steps)
        self.outcomes.update(step.split()[-1] for step in self.writers.steps if step.split()[0].isdigit())
        return self.outcomes

    def _probe(self) -> None:
        """Open the probes."""
        for read in filter(lambda one: one.is_probed, self.reads):
            self.probes[read.deliveries.name] = self._opened.enter_context(probe_of(self.legacy, read))

    def _restart(self) -> None:
        """Restart the server; streams continue with the open transactions that they have kept."""
        assert self._server_restart is not None
        self._server_restart()
        self.legacy.connection.close()
        self.legacy.connection = connected(self.legacy.url)
        self.writers.lose()
        self._probe()
        self.outcomes["restarts"] += 1

    def _write(self) -> None:
        self.writers.step()

    def _end(self) -> None:
        self.writers.finish_prepared()

    def _run(self) -> None:
        """Run a stream, while the writers go on between a page and its messages, and while it waits for them."""
        read = self.rng.choice(self.reads)
        read.broker.before = self.writers.step if self.rng.random() < 0.3 else None
        limits = {"batch_rows": self.rng.choice((2, 7, 1000)), "max_rows": self.rng.choice((None, None, 5))}
        meanwhile = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: self.writers.step())
        with _draining(self.rng.choice(_WAITS)), mock.patch.object(drain, "time", meanwhile):
            report = read.run(**limits)
        read.broker.before = None
        self._note(f"run {read.deliveries.name}: {report.rows}")
        self.outcomes["runs"] += 1
        self.outcomes["held back"] += report.held_back is not None

    def _look(self) -> None:
        read = self.rng.choice(self.reads)
        if read.is_probed:
            self._note(f"look {read.deliveries.name}: {read.pending(self.probes[read.deliveries.name])}")

    def _note(self, step: str) -> None:
        self.writers.steps.append(step)

    def _settle(self, *, last: bool) -> None:
        """End all transactions, run each stream once more, and compare its topic with its table."""
        self.writers.finish()
        for read in self.reads:
            with _draining(_LAST_SECONDS):
                if read.unfinished:
                    read.run()
                wanted = self._wanted(read, last=last)
                if read.is_probed and self._lost(read, wanted):
                    probe = self.probes[read.deliveries.name]
                    wait_until(lambda p=probe, r=read: r.pending(p), "a look that sees all rows", _LAST_SECONDS)
                read.run()
            lost = self._lost(read, wanted)
            assert not lost, f"{read.deliveries.name} lost {lost[:5]} of {len(wanted)}: {self.writers.steps[-60:]}"
            assert not read.repeated(), f"{read.deliveries.name} sent twice: {read.repeated()[:5]}"
            self.outcomes["compared"] += 1

    @staticmethod
    def _lost(read: Read, wanted: dict[int, int]) -> list[int]:
        """Return the ids of the rows that were not sent, or by time and by row version not in this version."""
        sent = read.sent()
        return [key for key, n in wanted.items() if sent.get(key) != n and (read.column != "id" or key not in sent)]

    def _wanted(self, read: Read, *, last: bool) -> dict[int, int]:
        """Return the version of each row that the next run must have sent."""
        if read.column == "xmin":  # a transaction of another database may hold later rows back
            ended = "xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            return dict(self.legacy.execute(f"SELECT id, n FROM {read.table.name} WHERE {ended}"))
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
