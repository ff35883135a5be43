"""Transactions that take ids and times in another order than they commit in, drawn at random: no row is passed by."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.sources.query.horizons import drain
from tests.support.crashes import Crash
from tests.support.horizons import SECOND, START, Application, Below, SimulatedWriters, Transaction
from tests.support.profile import LONG

SESSIONS = 4
SESSION = st.integers(0, SESSIONS - 1)
WRITES = (
    st.tuples(st.sampled_from(["insert", "insert", "insert", "null", "take", "write", "update", "begin"]), SESSION),
    st.tuples(st.sampled_from(["commit", "commit", "roll back"]), SESSION),
    st.tuples(st.just("clock"), st.integers(1, 6)),
)
CRASHES = st.builds(
    Crash,
    st.sampled_from(["read", "publish", "confirm", "save"]),
    st.integers(1, 3),
    st.sampled_from(["before", "after"]),
)
READS = (
    st.tuples(st.just("run"), st.none() | st.integers(1, 3)),
    st.tuples(st.just("kill"), CRASHES),
    st.tuples(st.just("look"), st.none()),
)
STEPS = st.lists(st.one_of(*WRITES, *WRITES, *READS), min_size=8, max_size=50)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_waited_for():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(drain, "DRAIN_SECONDS", 0.0)
        yield


@dataclass
class Story:
    """One application, its stream, and what was promised of it."""

    application: Application
    options: dict[str, Any]
    batch_rows: int = 2
    sessions: dict[int, Transaction] = field(default_factory=dict)
    taken: list[tuple[Transaction, int]] = field(default_factory=list)
    looks: list[tuple[tuple[str, ...], dict[int, int]]] = field(default_factory=list)
    there: dict[int, int] = field(default_factory=dict)
    since: dt.datetime = START

    def __post_init__(self) -> None:
        self.stream = Below(self.application, self.options)
        self.probe = self.stream.source()

    @property
    def timed(self) -> bool:
        return bool(self.options["watermark_columns"] == ("at",))

    def run(self, max_rows: int | None = None, crash: Crash | None = None) -> None:
        stored = self.stream.mark
        if stored is None or (stored.values is None and "horizon" not in stored.facts):
            self.there, self.since = self.application.table, self.application.now
        self.stream.run(batch_rows=self.batch_rows, max_rows=max_rows, crash=crash)

    def look(self, _: Any = None) -> None:
        target = self.probe.pending(self.stream.mark).target
        if target is not None:
            self.looks.append((target, self.application.table))

    def step(self, name: str, drawn: Any) -> None:
        application = self.application
        if name in {"run", "look"}:
            getattr(self, name)(drawn)
        elif name == "kill":
            self.run(crash=drawn)
        elif name == "clock":
            application.now += drawn * SECOND / 4
        elif name in {"commit", "roll back"}:
            if (one := self.sessions.pop(drawn, None)) is not None:
                (application.commit if name == "commit" else application.roll_back)(one)
        else:
            if drawn not in self.sessions:
                self.sessions[drawn] = application.begin(own_time=drawn % 2 == 0)
            self._write(name, self.sessions[drawn])

    def _write(self, name: str, one: Transaction) -> None:
        application, mine = self.application, [number for of, number in self.taken if of is one]
        if name in {"insert", "null"}:
            application.insert(one, null=name == "null" and self.timed)
        elif name == "take":
            self.taken.append((one, application.take(one)))
        elif name == "write" and mine:
            self.taken.remove((one, mine[0]))
            application.write(one, mine[0])
        elif name == "update" and self.timed and (rows := sorted(application.table)):
            application.update(one, rows[one.number % len(rows)])

    def end(self) -> None:
        for one in list(self.application.open.values()):
            self.application.commit(one)
        self.application.now += 5 * SECOND
        self.run()
        if self.options["first_run"] == "now":  # the run before may only have marked where the stream begins
            self.run()
        assert self.stream.report.target_reached
        self.probe.database.close()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(value) for _, value in self.stream.world.topic]

    def rows(self) -> dict[int, tuple[str | None, int]]:
        """Return time and version of each row of the table by its id."""
        return {number: (at, v) for number, at, v in self.application.connection.execute("SELECT id, at, v FROM t")}


def check(story: Story) -> None:
    """The topic equals the table, but for what a first run may leave out; nothing came twice without a kill."""
    sent = Counter((one["id"], one["v"]) for one in story.events if one["at"] is not None)
    assert all(times <= 1 + story.stream.dead for times in sent.values())
    assert len(sent) <= story.application.versions
    last = {one["id"]: one["v"] for one in story.events}
    wanted = {number: v for number, (at, v) in story.rows().items() if is_wanted(story, number, at, v)}
    assert wanted == {number: v for number, v in last.items() if number in wanted}
    if story.options["first_run"] == "now" and not story.timed:
        assert not {(number, v) for number, v in story.there.items()} & set(sent)
    for target, seen in story.looks:
        position = {number: (at, number) if story.timed else (number,) for number, (at, _) in story.rows().items()}
        high = (*target[:1], *map(int, target[1:])) if story.timed else tuple(map(int, target))
        late = [number for number, (_, v) in story.rows().items() if seen.get(number) != v]
        assert not [number for number in late if None not in position[number] and position[number][: len(high)] <= high]


def is_wanted(story: Story, number: int, at: str | None, v: int) -> bool:
    first = story.options["first_run"]
    if at is None:
        return story.options.get("null_watermark") == "always"
    if first == "now":
        if story.timed:
            return at >= f"{story.since:%Y-%m-%d %H:%M:%S.%f}" and story.there.get(number) != v
        return number > max(story.there, default=0)
    if first == "all":
        return True
    return at >= first if story.timed else number >= first


@settings(max_examples=1_000 if LONG else 40)
@example(
    steps=[("insert", 0), ("commit", 0), ("insert", 0), ("clock", 1), ("run", None)],
    timed=False,
    timed_set=False,
    first="now",
    nulls="skip",
    keyless=False,
    batch_rows=1,
)
@given(
    steps=STEPS,
    timed=st.booleans(),
    timed_set=st.booleans(),
    first=st.sampled_from(["all", "all", "now", "value"]),
    nulls=st.sampled_from(["skip", "always"]),
    keyless=st.booleans(),
    batch_rows=st.integers(1, 3),
)
def test_after_the_last_commit_the_topic_equals_the_table(steps, timed, timed_set, first, nulls, keyless, batch_rows):
    begin = ("2026-01-01 12:00:02.000000" if timed else 3) if first == "value" else first
    options: dict[str, Any] = {"watermark_columns": ("at",) if timed else ("id",), "first_run": begin}
    if timed:
        options |= {"null_watermark": "skip" if keyless else nulls}
    if keyless:
        options |= {"key_columns": ()}
    with tempfile.TemporaryDirectory() as folder:
        application = Application(Path(folder) / "legacy.db", timed_set=timed_set)
        story = Story(application, options, batch_rows)
        try:
            for name, drawn in steps:
                story.step(name, drawn)
            story.end()
            check(story)
        finally:
            application.close()


@given(before=st.lists(st.one_of(*WRITES), max_size=25), after=st.lists(st.one_of(*WRITES), max_size=25))
@pytest.mark.parametrize("timed_set", [False, True])
@pytest.mark.parametrize("timed", [False, True])
def test_the_simulated_writers_name_every_one_that_commits_below_the_mark(timed, timed_set, before, after):
    """The judge of the other test: too many, never too few."""
    with tempfile.TemporaryDirectory() as folder:
        application = Application(Path(folder) / "legacy.db", timed_set=timed_set)
        story = Story(application, {"watermark_columns": ("at",) if timed else ("id",), "null_watermark": "skip"})
        for name, drawn in before:
            story.step(name, drawn)
        seen = story.rows()
        mark = max(seen, default=0)
        look = SimulatedWriters(application, timed).look()
        for name, drawn in after:
            waited = {f"t{number}" for number in application.open} & set(look.open)
            known = story.rows()
            story.step(name, drawn)
            ended = waited - {f"t{number}" for number in application.open}
            late = {number: row for number, row in story.rows().items() if known.get(number) != row}
            if ended:
                continue
            if timed:
                bound = f"{look.before:%Y-%m-%d %H:%M:%S}"  # a tick is a second
                assert not [at for at, _ in late.values() if at is not None and at < bound]
            else:
                assert not [number for number in late if number <= mark]
        story.probe.database.close()
        application.close()
