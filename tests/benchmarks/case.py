"""One thing that is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.legacy.base import Legacy
from tests.benchmarks.world import World

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass
class Result:
    """What one run of a case cost.

    Attributes:
        rows: that were moved; on a topic they were counted by its offsets.
        seconds: of the part that moves them.
        cpu: seconds of the client, all its threads and children.
        rss_mb: highest resident memory; inside Airflow above that before the task.
        broker_cpu: seconds of the broker meanwhile.
        database_cpu: seconds of the database's server meanwhile.
        extra: what only this case knows.
    """

    rows: int
    seconds: float
    cpu: float | None = None
    rss_mb: float | None = None
    broker_cpu: float | None = None
    database_cpu: float | None = None
    extra: dict[str, Any] | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    def per_million(self, seconds: float | None) -> float | None:
        """CPU seconds for a million rows."""
        return None if seconds is None else seconds / self.rows * 1e6

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """How to run it once.

    Attributes:
        name: for the command line.
        title: for people.
        run: called with a world whose servers rest and the number of rows.
        database: whose server's CPU is reported beside.
        prepare: called before the servers rest; what it costs counts for nobody.
    """

    name: str
    title: str
    run: Callable[[World, int], Result]
    database: str | None = None
    prepare: Callable[[World, int], object] = lambda _world, _rows: None


def metered(world: World, case: Case, rows: int) -> Result:
    """Run a case once, with the servers' CPU seconds."""
    legacy: Legacy | None = world.legacy(case.database) if case.database else None
    case.prepare(world, rows)
    world.settle()
    broker, database = world.broker_cpu(), legacy.cpu() if legacy else None
    found = case.run(world, rows)
    found.broker_cpu = _since(broker, world.broker_cpu())
    found.database_cpu = _since(database, legacy.cpu() if legacy else None)
    return found


def counted(world: World, topic: str, rows: int) -> None:
    """Demand that a topic holds exactly so many messages, then delete it."""
    if (found := world.count(topic)) != rows:
        raise RuntimeError(f"{rows} messages were to be on topic {topic!r}, its offsets say {found}")
    world.drop(topic)


def _since(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
