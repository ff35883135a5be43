"""Overlap under random late rows, changes, kills and budgets: each version is sent, and only a kill sends one twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.sources.query.overlapping import seen
from tests.support.legacy import legacy_database
from tests.support.overlapping import NOON, Stream

OVERLAP = 8
"""Seconds; the rows' times are a few more of them."""

WRITES = st.tuples(st.just("write"), st.integers(1, 6), st.integers(0, 14), st.sampled_from("ab"))
DELETES = st.tuples(st.just("delete"), st.integers(1, 6))
RUNS = st.tuples(
    st.just("run"), st.sampled_from([None, None, 0, 1, 2]), st.sampled_from([None, None, 1, 3]), st.integers(1, 4)
)


class Machine:
    """The table and the topic, as a model that knows what each run owes."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.stream.at = stream, None
        self.table: dict[int, tuple[int, str]] = {}
        self.sent: dict[int, tuple[int, str] | None] = {}
        self.ids: set[tuple[Any, ...]] = set()
        self.unsure: set[int] = set()
        self.times: dict[int, int] = {}
        stream.legacy.execute("DELETE FROM t")

    def write(self, number: int, second: int, value: str) -> None:
        """Write a row; its time never falls, since the last one that was sent with a lower time means a reset."""
        second = self.times[number] = max(second, self.times.get(number, 0))
        self.table[number] = (second, value)
        at = (NOON.replace(second=second)).replace(tzinfo=None)
        self.stream.legacy.execute(f"REPLACE INTO t VALUES ({number}, '{at}', '{value}')")

    def delete(self, number: int) -> None:
        """Delete a row; whether a later one that equals it is new depends on whether a saved run missed it."""
        if self.table.pop(number, None) is not None:
            self.unsure.add(number)
        self.stream.legacy.execute(f"DELETE FROM t WHERE id = {number}")

    @property
    def owed(self) -> dict[int, tuple[int, str]]:
        """The rows that the overlap reaches, in versions that were not the last ones sent."""
        low = -1 if self.stream.at is None else self.watermark - OVERLAP
        return {one: row for one, row in self.table.items() if row[0] >= low and self.sent.get(one) != row}

    @property
    def watermark(self) -> int:
        values = self.stream.at.values
        return int(values[0][-2:]) if values else -1

    def run(self, saves: int | None, most: int | None, size: int, *, exact: bool = True) -> None:
        owed, before = self.owed, self.watermark if self.stream.at else -1
        if exact and self.stream.at is not None and not self.unsure:
            assert self.stream.pending() == len(owed)
        ran = self.stream.run(saves=saves, **({} if most is None else {"max_rows": most}), batch_rows=size)
        found = [
            (number, (int(str(row[1])[-2:]), str(row[2])))
            for batch in ran.batches
            for row in batch.rows
            for number in [int(row[0])]
        ]
        if exact:
            for number, row in found:
                assert owed.get(number) == row or (number in self.unsure and self.table[number] == row), "not owed"
            assert len({number for number, _ in found}) == len(found), "twice in one run"
            assert most is None or len(found) <= most
        if saves is None and most is None:
            assert owed.keys() <= dict(found).keys(), "lost"
        self._save(ran.batches if saves is None else ran.batches[:saves])
        assert self.stream.at is None or self.watermark >= before

    def _save(self, batches: list[Any]) -> None:
        for batch in batches:
            for row in batch.rows:
                number, version = int(row[0]), (int(str(row[1])[-2:]), str(row[2]))
                self.sent[number] = version
                self.ids.add((number, *version, batch.counter))
                self.unsure.discard(number)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    class Request:
        def getfixturevalue(self, _: str) -> Any:
            return tmp_path_factory.mktemp("overlap")

    with legacy_database(Request(), "sqlite") as legacy:  # type: ignore[arg-type]
        made = Stream(legacy, overlap=dt.timedelta(seconds=OVERLAP))
        made.make()
        legacy.execute("CREATE INDEX t_at ON t (at, id)")
        yield made


@given(steps=st.lists(st.one_of(WRITES, WRITES, RUNS, DELETES), max_size=30))
def test_each_version_comes_once_unless_a_run_dies(stream, steps):
    machine = Machine(stream)
    for name, *arguments in steps:
        getattr(machine, name)(*arguments)
    machine.run(None, None, 2)
    machine.run(None, None, 2)
    assert not machine.owed


@given(steps=st.lists(st.one_of(WRITES, WRITES, RUNS), max_size=30), most=st.integers(1, 3))
def test_nothing_is_lost_where_more_rows_are_late_than_are_remembered(stream, steps, most):
    before, seen.MOST_VERSIONS = seen.MOST_VERSIONS, most
    try:
        machine = Machine(stream)
        for name, *arguments in steps:
            (machine.run(*arguments, exact=False) if name == "run" else machine.write(*arguments))
        machine.run(None, None, 2, exact=False)
        assert not machine.owed
        assert machine.stream.run().batches == []
    finally:
        seen.MOST_VERSIONS = before
