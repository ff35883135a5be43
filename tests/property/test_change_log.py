"""Random writers, key changes, late visibility, legs of any length and crashes: topics rebuild their tables."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Watermark
from tests.support.crashes import STREAM, Crash, World
from tests.support.log_runs import Event, rows_of, run, source_of
from tests.support.memory_server import Server

STEPS = ("lock", "load", "open", "read", "encode", "publish", "confirm", "check", "save", "acknowledge", "finish")
KEYS = 8
TABLES = {
    "orders": ({"id": "INTEGER", "v": "INTEGER"}, ("id",)),
    "names": ({"a": "TEXT", "b": "INTEGER", "v": "INTEGER"}, ("a", "b")),
}

crashes = st.builds(
    Crash,
    step=st.sampled_from(STEPS),
    nth=st.integers(1, 12),
    when=st.sampled_from(("before", "inside", "after")),
    sudden=st.booleans(),
)


@dataclass
class Writers:
    """Commit random changes, whose rows hold a version that grows with every change."""

    server: Server
    order: Any
    version: int = 0
    left: int = 0
    truncates: bool = False
    alters: int = 0
    rows: dict[str, set[Any]] = field(default_factory=lambda: {name: set() for name in TABLES})

    def write(self) -> None:
        """Perhaps commit a transaction, perhaps let queries see one."""
        for _ in range(self.order.choice((0, 0, 0, 1, 2)) if self.left else 0):
            self.left -= 1
            self.commit(visible=self.order.random() < 0.7)
            if self.alters and self.order.random() < 0.1:
                self.alters -= 1
                name = self.order.choice(list(TABLES))
                self.server.add_column(name, f"more{self.version}")
        if self.order.random() < 0.5:
            self.server.apply(1)

    def commit(self, *, visible: bool = True) -> None:
        changes: list[Any] = []
        for _ in range(self.order.randint(1, 4)):
            changes.append(change := self._change())
            self._begin(change)
        self.server.commit(*changes, visible=visible)

    def _begin(self, change: Any) -> None:
        """Keep in mind what the transaction did so far."""
        name, what, row, replaced = change
        rows = self.rows[name]
        if what == "truncate":
            rows.clear()
        elif what == "delete":
            rows.discard(row)
        else:
            rows.discard(replaced)
            rows.add(row[: len(TABLES[name][1])])

    def _change(self) -> Any:
        name = self.order.choice(list(self.server.tables))
        rows, key = self.rows[name], self._key(name)
        self.version += 1
        dice = self.order.random()
        if self.truncates and dice < 0.05:
            return name, "truncate", (), None
        if rows and dice < 0.3:
            return name, "delete", self.order.choice(sorted(rows)), None
        if rows and dice < 0.5 and key not in rows:
            return name, "put", self._row(name, key), self.order.choice(sorted(rows))
        return name, "put", self._row(name, key), None

    def _row(self, name: str, key: tuple[Any, ...]) -> tuple[Any, ...]:
        """A new row; columns that were added hold the version too."""
        more = len(self.server.tables[name].form.columns) - len(key) - 1
        return (*key, self.version, *[str(self.version)] * more)

    def _key(self, name: str) -> tuple[Any, ...]:
        number = self.order.randrange(KEYS)
        return (number,) if name == "orders" else ("abc"[number % 3], number)


@given(
    seed=st.integers(0, 2**32),
    schedule=st.lists(st.tuples(crashes, st.integers(0, 15)), max_size=6),
    saves=st.lists(st.sampled_from((0.0, 0.1, 0.6)), min_size=1, max_size=5),
    legs=st.lists(st.sampled_from((0.0, 0.4, 5.0)), min_size=1, max_size=4),
    batch_rows=st.integers(1, 5),
    also=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_after_the_last_run_each_topic_rebuilds_its_table(seed, schedule, saves, legs, batch_rows, also):
    truncates, alters, anew = also
    order = random.Random(seed)  # not drawn step by step: the reading thread takes from it too
    with tempfile.TemporaryDirectory() as directory:
        server, world = shop(Path(directory)), World()
        writers = Writers(server, order, truncates=truncates, alters=2 * alters)
        for _ in range(order.randint(0, 12)):
            writers.commit()
        for number, (crash, more) in enumerate([*schedule, (None, 5), (None, 0)]):
            writers.left = more
            if number == len(schedule) + 1:
                server.apply()
            saved = world.store.load(STREAM.name)
            begun = saved is not None and saved.values is not None
            again = "main.orders" if anew and begun and number == len(schedule) else None
            source = source_of(
                server,
                writers.write,
                ticking(legs),
                limits=Limits(batch_rows=batch_rows),
                on_truncate="event",
                leg_seconds=1.0,
                snapshot=[] if again is None else [again],
            )
            events, process = run(world, source, crash, ticking(saves))
            assert process.finished or crash
            refuse_saved_again(events, saved)
            refuse_backward(events, again)
        for name in TABLES:
            found, expected = rows_of(world, server, name)
            assert found == expected
    places = [tuple(map(int, mark.values)) for mark in world.saved if mark.values is not None]
    assert places == sorted(places)


def shop(directory: Path) -> Server:
    server = Server(directory / "legacy.db")
    for name, (columns, key) in TABLES.items():
        server.create(name, columns, key)
    return server


def ticking(steps: list[float]) -> Callable[[], float]:
    return itertools.accumulate(itertools.cycle(steps)).__next__


def refuse_saved_again(events: Sequence[Event], saved: Watermark | None) -> None:
    """What a saved watermark covers is not sent again."""
    if saved is not None and saved.values is not None:
        position = tuple(map(int, saved.values))
        assert all(one.place > position for one in events if one.place is not None)


def refuse_backward(events: Sequence[Event], again: str | None) -> None:
    """Within a run each key's versions grow; only a row of a table read anew may repeat the last one."""
    last: dict[tuple[str, str | None], int] = {}
    for event in events:
        if "v" in event.row:
            version, before = int(event.row["v"]), last.get((event.table, event.key), 0)
            assert version > before or (event.op == "r" and event.table == again and version == before)
            last[event.table, event.key] = version
