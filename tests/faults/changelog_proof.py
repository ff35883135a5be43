"""A change log under its writers, whose runs are killed; what its topics must hold afterwards."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults import changelog_child as child
from tests.faults.changelog_seen import Seen
from tests.support.log_shops import TABLES, Shop
from tests.support.log_writers import end, writing
from tests.support.topic_reader import TopicReader


@dataclass
class Proof:
    """One log under its writers, read run by run.

    Attributes:
        died: runs by where they died.
        ended: runs that ended by themselves.
    """

    shop: Shop
    job: child.Job
    reader: TopicReader
    random: random.Random
    seen: Seen = field(default_factory=Seen)
    died: Counter[str] = field(default_factory=Counter)
    ended: int = 0

    def let_run(self) -> None:
        """A run that ends by itself."""
        process = child.start(self._job())
        process.join(120)
        assert process.exitcode == 0, self._log()
        self.ended += 1
        self._look()

    def kill(self) -> None:
        """A run that dies at a step, or at any time."""
        step = self.random.choice((*child.STEPS, "any time", "any time", "any time"))
        die = None if step == "any time" else (step, self.random.choice((1, 2, 3, 8)))
        process = child.start(self._job(die=die, batch_rows=self.random.choice((7, 50, 500))))
        process.join(self.random.random() * 2 if die is None else 120)
        process.kill()
        process.join()
        assert process.exitcode in (0, -9), self._log()
        self.ended += process.exitcode == 0
        self.died[step] += process.exitcode != 0
        self._look()

    def while_writing(self, seconds: float, kills: int) -> int:
        """Run and kill beside writers for a time, then run once more; return the number of the last change."""
        with writing(self.shop) as writers:
            began, due = time.monotonic(), [(0.3, self.shop.alter)]
            if self.shop.drops:
                due.append((0.6, self.shop.drop))
            while (share := (time.monotonic() - began) / seconds) < 1 or due or self.died.total() < kills:
                if due and share > due[0][0]:
                    due.pop(0)[1]()
                if self.died.total() <= kills * share:
                    self.kill()
                else:
                    self.let_run()
            end(writers)
            self.let_run()
            return self.shop.last_change()

    def lead(self, url: str) -> None:
        """Let the next runs connect to another server."""
        self.job = replace(self.job, url=url)

    def some(self, kills: int) -> None:
        """Kill some runs beside writers, then run once more."""
        with writing(self.shop):
            for _ in range(kills):
                self.kill()
        self.let_run()

    def check(self) -> None:
        """Check what the topics hold against tables and history."""
        for name in self.shop.names:
            self.seen.check_rows(name, self.shop.rows(name))
        self.seen.check_history(self.shop.changes())

    def figures(self, changes: int) -> str:
        """Return what happened, for the figures of the proof."""
        found = {
            "events": len(self.seen.values),
            "history": changes,
            "died": dict(self.died),
            "ended": self.ended,
            "repeats": self.seen.repeats,
        }
        return json.dumps(found)

    def _log(self) -> str:
        return (Path(self.job.folder) / "log").read_text()[-3000:]

    def _job(self, **changed: Any) -> child.Job:
        self.job = replace(self.job, attempt=self.job.attempt + 1)
        return replace(self.job, **changed)

    def _look(self) -> None:
        self.seen.take(self.reader.read_on(), child.covered(self.job.folder))


@contextmanager
def proof_of(shop: Shop, topics: Any, folder: Path) -> Iterator[Proof]:
    """A proof in the making; two of its three tables are there, and filled."""
    shop.open()
    prefix, bootstrap = topics.name(), topics.kafka.bootstrap
    reader = TopicReader(bootstrap, [topics.make(f"{prefix}.{name}") for name in TABLES])
    url, engine = shop.legacy.url.render_as_string(hide_password=False), shop.legacy.engine.name
    job = child.Job(engine, url, bootstrap, str(folder), f"{prefix}.{{table}}", (shop.pattern,), shop.slot)
    yield Proof(shop, job, reader, random.Random(engine))
    reader.close()
