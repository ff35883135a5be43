"""A source of somebody's own, a list of rows in a file: one spec, one operator, and the package as it is.

Whatever the package offers a stream works for it: operator, sensor, trigger, commands, dry run, a kill.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.facts import are_texts, check_facts
from airflow_legacy_events.core.model import PENDING_ROWS, Batch, Horizon, Opened, Pending, Stream, Watermark
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks import registry
from airflow_legacy_events.operators._row_stream import RowStreamOperator
from airflow_legacy_events.sensors._row_stream import RowStreamSensor
from airflow_legacy_events.streams.specs.base import OneTopic
from airflow_legacy_events.triggers.probe import Watch
from airflow_legacy_events.triggers.stream import StreamTrigger, duration
from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.faults import child
from tests.support.profile import some

SHAPE = Shape(
    (Column("n", Kind.INTEGER, "integer", nullable=False), Column("body", Kind.TEXT, "text")),
    data=(0, 1),
    key=(0,),
    watermark=(0,),
)


class ListSource:
    """The lines of a file, numbered from 1; the watermark is the number of the last line that was sent."""

    def __init__(self, database: Any, path: str, stream: str, batch_rows: int) -> None:
        self._database, self._path, self._stream, self._batch_rows = database, Path(path), stream, batch_rows

    def check(self, window: Any = None) -> None:
        if window is not None:
            raise ConfigurationError("a list can't be sent again; nothing was read")

    def open(self, at: Watermark | None, window: Any = None) -> Opened:
        self.check(window)
        facts = {"kind": ListSpec.kind, "server": self._database.identity(), "source": "own_list"}
        facts |= {"columns": [["n", "integer"]], "path": [str(self._path)]}
        if at is not None:
            ListSpec.check_facts(self._stream, at.facts)
            guard.check(self._stream, at.facts, facts, {"server": "point the connection back"})
        rows = self._rows_above(at)
        target = (rows[-1][0],) if rows else None
        return Opened(Horizon(target, "exact", "lines are only added", facts, SHAPE), self._batches(rows))

    def _batches(self, rows: list[tuple[str, str]]) -> Iterator[Batch]:
        for first in range(0, len(rows), self._batch_rows):
            page = rows[first : first + self._batch_rows]
            final = first + self._batch_rows >= len(rows)
            yield Batch(SHAPE, page, len(page), Watermark((page[-1][0],), None, {}), "c", final=final)

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        rows = self._rows_above(at)
        return Pending(min(len(rows), most), (rows[-1][0],) if rows else None)

    def without(self, batch: Any, rows: Any) -> None:
        """A file is read to its end."""

    def overtaken(self, batch: Any) -> Any:
        return iter(())

    def finish(self, lease: Any, over: Any) -> None:
        """Nothing is left behind."""

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        """A list keeps its lines."""

    def _rows_above(self, at: Watermark | None) -> list[tuple[str, str]]:
        last = int(at.values[0]) if at is not None and at.values else 0
        lines = enumerate(self._path.read_text().splitlines(), 1)
        return [(str(number), line) for number, line in lines if number > last]


@dataclass(frozen=True, kw_only=True)
class ListSpec(OneTopic):
    """What somebody asked of a list."""

    kind: ClassVar[str] = "list"
    statement_timeout: ClassVar[dt.timedelta] = dt.timedelta(seconds=30)
    max_row_bytes: ClassVar[int] = 2**20
    time_column: ClassVar[None] = None
    begins_now: ClassVar[bool] = False
    watermark_names: ClassVar[tuple[str, ...]] = ("n",)

    conn_id: str
    path: str
    name: str | None = None

    def check(self, *, rendered: bool) -> None:
        if not self.path:
            raise ConfigurationError("path= is empty; give the file's path")

    def resolved(self) -> ListSpec:
        return self

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:
        return Stream(str(self.stream_name(topic)), topic, f"/{self.conn_id}/list", f"{self.conn_id}.list.changed")

    def stream_name(self, topic: str | None) -> str | None:
        return self.name or f"{self.conn_id}.list@{topic}"

    def naming(self, topic: Any) -> dict[str, Any]:
        return {"stream": self.name} if self.name else {"source_conn_id": self.conn_id, "topic": topic}

    def check_wait(self) -> None:
        """A list has an end to wait for."""

    def source(self, database: Any, *, stream: Stream, limits: Any, log: Any) -> ListSource:
        return ListSource(database, self.path, stream.name, limits.page_rows)

    @classmethod
    def check_facts(cls, stream: str, facts: Any) -> None:
        check_facts(stream, facts, {"path": (are_texts, "a list of one text")})

    @classmethod
    def left_by(cls, facts: Any, stream: str, given: Any) -> ListSpec:
        return cls(conn_id=given["source_conn_id"], path=facts["path"][0], name=stream)


class ListOperator(RowStreamOperator):
    """Sends the new lines of a file."""

    template_fields = (*RowStreamOperator.template_fields, "path")

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path
        self._complete()

    def _spec(self) -> ListSpec:
        return ListSpec(conn_id=self.source_conn_id, path=self.path, name=self.stream)


class ListTrigger(StreamTrigger):
    """Fires when a file has new lines."""

    def __init__(self, *, source_conn_id: str, path: str, topic: str, cooldown: float = 60, poll_interval: float = 60):
        given = {"source_conn_id": source_conn_id, "path": path, "topic": topic}
        given |= {"cooldown": cooldown, "poll_interval": poll_interval}
        spec = ListSpec(conn_id=source_conn_id, path=path)
        watch = Watch(spec=spec, topic=topic, watermark_store=None, cooldown=duration(cooldown), waiter="own")
        super().__init__(watch, duration(poll_interval), given)


class ListSensor(RowStreamSensor):
    """Waits for new lines of a file."""

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path
        self._complete()

    def _spec(self) -> ListSpec:
        return ListSpec(conn_id=self.source_conn_id, path=self.path, name=self.stream)

    def _trigger(self) -> ListTrigger:
        return ListTrigger(source_conn_id=self.source_conn_id, path=self.path, topic=str(self.topic))


DAG = """
import datetime as dt
from airflow.sdk import DAG, CronDataIntervalTimetable
from tests.airflow.test_own_source import ListOperator, ListSensor
from tests.faults.thin_store import FileStore

with DAG({dag!r}, schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"), catchup=False,
         start_date=dt.datetime(2026, 11, 1, tzinfo=dt.timezone.utc)):
    {task}
"""


@dataclass
class World:
    """A file of lines, and DAGs of one task on it."""

    path: Path
    topic: str
    topics: Any

    @property
    def stream(self) -> str:
        return f"own_list.list@{self.topic}"

    def add(self, *lines: str) -> None:
        with self.path.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def dag(self, operator: str = "ListOperator", more: str = "") -> tuple[str, str]:
        dag_id = f"own_{uuid.uuid4().hex[:12]}"
        common = f'source_conn_id="own_list", path={str(self.path)!r}, topic={self.topic!r}'
        return DAG.format(dag=dag_id, task=f'{operator}(task_id="publish", {common}, {more})'), dag_id

    def run(self, operator: str = "ListOperator", more: str = "") -> Any:
        return metadata.run_dag(*self.dag(operator, more))

    def sent(self) -> list[int]:
        return [message.event["data"]["n"] for message in self.topics.read(self.topic)]


@pytest.fixture
def world(tmp_path, broker, topic, monkeypatch):
    monkeypatch.setitem(registry.SPECS, "list", f"{__name__}:ListSpec")
    sqlite3.connect(tmp_path / "own.db").close()
    (tmp_path / "own.db").touch()
    metadata.put_connection("own_list", conn_type="sqlite", host=str(tmp_path / "own.db"))
    made = World(tmp_path / "lines", topic, broker)
    made.path.touch()
    made.add("a", "b", "c")
    return made


def test_each_run_sends_the_new_lines_and_returns_its_report(world):
    first = world.run()
    world.add("d")
    second = world.run()

    assert world.sent() == [1, 2, 3, 4]
    report = metadata.pulled(second, "publish")
    assert (report["stream"], report["rows"], report["completeness"]) == (world.stream, 1, "exact")
    assert (report["watermark_from"], report["watermark_to"], report["target_reached"]) == (["3"], ["4"], True)
    [(uri, extra, aliases)] = metadata.asset_events(first)
    assert (uri.endswith(f"/{world.topic}"), extra["rows"], aliases) == (True, 3, [f"legacy-events:{world.topic}"])
    kept = json.loads(metadata.variables()[f"legacy_events.watermark.{world.stream}"])
    assert (kept["facts"]["kind"], kept["facts"]["topic"]) == ("list", world.topic)


@pytest.mark.parametrize("more", ["deferrable=False", "deferrable=True"])
def test_the_sensor_returns_what_is_pending(world, more):
    run = world.run("ListSensor", more)

    assert metadata.states(run) == {"publish": "success"}
    assert metadata.pulled(run, "publish") == {"stream": world.stream, "rows": 3, "bound": ["3"]}


def test_the_trigger_fires_again_only_for_new_lines_also_after_a_restart(world):
    trigger = ListTrigger(source_conn_id="own_list", path=str(world.path), topic=world.topic, poll_interval=0.05)
    assert _first(trigger) == {"stream": world.stream, "rows": 3, "bound": ["3"]}
    _, arguments = trigger.serialize()
    world.add("d")

    assert _first(ListTrigger(**arguments))["bound"] == ["4"]


def test_the_commands_show_list_and_copy_it_and_a_dry_run_counts_its_lines(world, tmp_path, capsys):
    world.run()
    sqlite3.connect(tmp_path / "kept.db").close()
    (tmp_path / "kept.db").touch()
    metadata.put_connection("own_kept", conn_type="sqlite", host=str(tmp_path / "kept.db"))

    def call(*words: str) -> str:
        capsys.readouterr()
        metadata.cli("legacy-events", "watermark", *words)
        return capsys.readouterr().out

    [shown] = json.loads(call("show", world.stream, "-o", "json"))
    assert (shown["values"], shown["facts"]["kind"]) == ([{"column": "n", "type": "integer", "text": "3"}], "list")
    [listed] = [one for one in json.loads(call("list", "-o", "json")) if one["stream"] == world.stream]
    assert (listed["watermark"], listed["values"], listed["store"]) == ("present", ["3"], "variable")
    assert "would leave 2 rows to send" in call("set", world.stream, "1", "--dry-run")
    assert "would leave 3 rows to send" in call("forget", world.stream, "--dry-run")
    assert "moved from 'variable' to 'table:own_kept'" in call("copy", world.stream, "--to", "table:own_kept")

    world.add("d")
    assert metadata.states(world.run())["publish"] == "failed"
    assert metadata.pulled(world.run(more="watermark_store='table:own_kept'"), "publish")["rows"] == 1


def test_a_backfill_is_refused_with_the_sources_own_words_and_nothing_is_sent(world):
    start = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    text, dag_id = world.dag()
    run = Dag.write(text, dag_id).run("backfill", logical_date=start, interval=(start, start + dt.timedelta(days=1)))

    assert metadata.states(run) == {"publish": "failed"}
    assert metadata.pulled(run, "publish", key="report")["mode"] == "replay"
    assert world.sent() == []


@pytest.mark.parametrize(("where", "number"), some([("inside", 2), ("before", 2), ("after", 2)], 3))
def test_a_killed_task_loses_nothing_and_repeats_only_what_was_not_saved(world, tmp_path, where, number):
    world.add("d", "e", "f")
    store = f"watermark_store=FileStore({str(tmp_path)!r}, {{where!r}}, {{number}}), batch_rows=2, rows_per_second=2"

    def run(where: str = "", number: int = 0) -> int:
        return child.run_dag(*world.dag(more=store.format(where=where, number=number)))

    assert run(where, number) == -signal.SIGKILL
    assert world.sent() == [1, 2, 3, 4]

    assert run() == 0
    assert world.sent() == [1, 2, 3, 4, *([] if where == "after" else [3, 4]), 5, 6]


def _first(trigger: ListTrigger) -> Any:
    async def first() -> Any:
        try:
            async with asyncio.timeout(20):
                async for event in trigger.run():
                    return event.payload
        finally:
            await trigger.cleanup()

    with metadata.as_task():
        return asyncio.run(first())
