"""The random machine: steps on tables of all kinds, and what must hold behind each run.

Behind a run each row of the table is the last message of its key, or the run was red, or its reason names a step that
it can't tell apart from ordinary operation. What every run says does not count.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Messages, Rejection, Repeat, Window
from airflow_legacy_events.core.report import Report
from tests.machine.kinds import KINDS
from tests.machine.stopped import stop_worker
from tests.machine.tables import Table
from tests.support.legacy import Legacy
from tests.support.profile import LONG
from tests.support.streams import Deliveries

NAMED = (
    "the last delivered row is gone",
    "the row that was delivered last is gone or another one",
    "the table is empty and its next ids can't be seen",
    "the table was rewritten or exchanged since the last run",
    "the table was set back below the watermark",
    "so its rows can't be compared",
)
"""What a reason says of a step; see `sources.query.standing`."""

_WEIGHTS = {
    "insert": 12,
    "update": 10,
    "delete": 4,
    "delete_newest": 3,
    "empty": 2,
    "truncate": 3,
    "keep_copy": 3,
    "restore": 3,
    "swap": 2,
    "alter": 1,
    "redefine": 3,
    "remake_topic": 1,
    "replay": 3,
    "run_beside": 4,
    "run": 16,
    "stop_worker": 2 if LONG else 0,
}
_POLICIES = ("fail", "fail", "restart")


class Interrupted(MemoryBroker):
    """A broker before which something else happens once, between the read of a page and its messages.

    Attributes:
        hold: what happens before the lock is proved.
        before: what happens behind that.
    """

    hold: Callable[[], Any] | None = None
    before: Callable[[], Any] | None = None

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """See `core.ports.Broker.refused`."""
        hold, self.hold = self.hold, None
        if hold is not None:
            hold()
        return super().refused(messages)

    def publish(self, messages: Messages, left_out: Any = frozenset()) -> None:
        """See `core.ports.Broker.publish`."""
        before, self.before = self.before, None
        if before is not None:
            before()
        super().publish(messages, left_out)


@dataclass
class Moved:
    """A table, its stream, and what became of its runs."""

    table: Table
    deliveries: Deliveries
    outcomes: Counter[str] = field(default_factory=Counter)
    steps: list[str] = field(default_factory=list)

    def run(self, policy: str = "fail", **limits: Any) -> Report | None:
        """Run the stream; None where it was red, and what a person does then is done."""
        reset = {"on_reset": policy} if self.incremental else {}
        self.deliveries.options = {**self.table.options, **reset}
        self.broker.open()
        try:
            return self.deliveries.run(**limits)
        except LegacyEventsError as error:
            self.red(error)
            return None

    def red(self, error: LegacyEventsError) -> None:
        """Do what a person does behind a run that was red."""
        self.outcomes[f"red: {type(error).__name__}"] += 1
        self._begin_anew()

    def replay(self, rng: random.Random) -> None:
        """Send all rows again, while the application writes and the live stream runs."""
        window = Window(None, "2020-01-01T00:00:00+00:00", "2040-01-01T00:00:00+00:00")
        broker = self.broker

        def meanwhile() -> None:
            for step in rng.choices(("update", "insert", "delete"), k=2):
                getattr(self.table, step)()
            self.run()

        broker.before = meanwhile
        repeat = Repeat("replay", window, f"replay-{rng.random()}", beside_live=True)
        broker.open()
        self.deliveries.options = dict(self.table.options)
        try:
            self.deliveries.run(repeat=repeat, batch_rows=3)
        except LegacyEventsError as error:
            self.outcomes[f"red replay: {type(error).__name__}"] += 1
        broker.before = None

    def run_beside(self, rng: random.Random) -> Report | None:
        """Run the stream while the application changes the table between two pages."""
        broker = self.broker
        steps = (
            ("insert", "update", "delete", "truncate", "swap", "alter") if self.incremental else ("insert", "update")
        )
        broker.before = getattr(self.table, rng.choice(steps))
        report = self.run(batch_rows=2)
        broker.before = None
        return report

    @property
    def broker(self) -> Interrupted:
        """Of its topic."""
        assert isinstance(self.deliveries.broker, Interrupted)
        return self.deliveries.broker

    @property
    def incremental(self) -> bool:
        """Whether its runs go on from a watermark."""
        return bool(self.table.options["watermark_columns"])

    def check(self, report: Report | None, before: Report | None = None) -> None:
        """Check that the topic is the table, or that the run, or the one before it, said why it may not be."""
        if report is None:
            return
        wrong = self._differences()
        if not wrong:
            self.outcomes["the same"] += 1
            return
        reasons = f"{report.completeness_reason}; {before.completeness_reason if before is not None else ''}"
        named = [one for one in NAMED if one in reasons]
        assert named, f"{type(self.table).__name__} differs in {wrong[:5]}, and no run said so: {self.steps[-30:]}"
        self.outcomes["named"] += 1
        self._begin_anew()

    def _differences(self) -> list[tuple[tuple[str, ...], int, int | None]]:
        last: dict[tuple[str, ...], int] = {}
        for message in self.broker.topic("topic"):
            data = json.loads(message.value)["data"]
            last[tuple(str(data[name]) for name in self.table.key)] = data["n"]
        return [(key, n, last.get(key)) for key, n in self.table.rows().items() if last.get(key) != n]

    def _begin_anew(self) -> None:
        self.deliveries.store.forget(self.deliveries.name)
        self.broker.before = None  # what was to happen in the red run
        self.broker.open()
        self.deliveries.options = dict(self.table.options)
        self.deliveries.run()
        assert not self._differences(), f"a first run left out {self._differences()[:5]}"
        self.outcomes["begun anew"] += 1


class Machine:
    """Steps on all kinds of tables of one database.

    Args:
        legacy: the database.
        seed: of the steps.
    """

    def __init__(self, legacy: Legacy, seed: int) -> None:
        self.rng = random.Random(seed)
        url = legacy.url.render_as_string(hide_password=False)
        self.moved = []
        for kind in KINDS[legacy.dialect]:
            table = kind(legacy, self.rng, f"{kind.__name__.lower()}_rows")
            deliveries = Deliveries(url=url, broker=Interrupted(), topic="topic", table=table.source)
            self.moved.append(Moved(table, deliveries))

    def go(self, steps: int) -> Counter[str]:
        """Take so many steps, then run all streams once more; return what became of the runs."""
        names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        for _ in range(steps):
            moved, (step,) = self.rng.choice(self.moved), self.rng.choices(names, weights)
            moved.steps.append(step)
            self._take(moved, step)
        for moved in self.moved:
            moved.check(moved.run())
        return sum((moved.outcomes for moved in self.moved), Counter())

    def move(self, legacy: Legacy) -> None:
        """Go on with another server, which holds the tables as they were some time ago."""
        for moved in self.moved:
            moved.table.legacy = legacy
            moved.deliveries.url = legacy.url.render_as_string(hide_password=False)
            moved.steps.append("move")

    def _take(self, moved: Moved, step: str) -> None:
        """Take a step of this machine's own, or of the application that writes the table, where it has such a one."""
        if (own := getattr(self, f"_{step}", None)) is not None:
            own(moved)
        elif (written := getattr(moved.table, step, None)) is not None:
            written()

    def _run(self, moved: Moved) -> None:
        moved.check(moved.run(self.rng.choice(_POLICIES), batch_rows=self.rng.choice((2, 7, 1000))))

    def _replay(self, moved: Moved) -> None:
        if moved.table.options["watermark_columns"] == ("at",):
            moved.check(moved.run())
            moved.replay(self.rng)
            moved.check(moved.run())

    def _run_beside(self, moved: Moved) -> None:
        if (report := moved.run_beside(self.rng)) is not None:
            moved.check(moved.run(), report)

    def _stop_worker(self, moved: Moved) -> None:
        moved.check(stop_worker(moved))

    def _remake_topic(self, moved: Moved) -> None:
        moved.broker.remake("topic")
