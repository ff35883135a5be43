"""A drain dies, stands still or meets other writers at a chosen step: nothing is lost, nothing is taken unsent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.drain_child import STEPS, Job
from tests.faults.drains import DrainProcess, Drains, nursery
from tests.support.engines import of
from tests.support.legacy import Legacy, reused_database
from tests.support.outbox import REFUSED, create_outbox
from tests.support.profile import LONG

DATABASES = of("sqlite", "postgresql", "mysql")
CASES = [case for database in DATABASES for mode in ("delete", "mark") if (case := (database, mode)) != REFUSED]

KILLS = [
    pytest.param(case, step, id="-".join((*case, step)))
    for at, case in enumerate(CASES)
    for step in (STEPS if LONG else STEPS[at % len(STEPS) :][:1])
]


@pytest.fixture(scope="module")
def forks():
    with nursery() as found:
        yield found


@dataclass
class Outbox:
    """A table, its topic and its drains."""

    legacy: Legacy
    drains: Drains
    topics: Any
    topic: str

    def insert(self, payload: str, id_: int | None = None, aggregate: str = "a") -> None:
        names, values = ("aggregatetype", "aggregateid", "type", "payload"), (self.topic, aggregate, "t", payload)
        if id_ is not None:
            names, values = ("id", *names), (id_, *values)
        marks = ", ".join(self.legacy.engine.mark for _ in values)
        self.legacy.execute(f"INSERT INTO outbox ({', '.join(names)}) VALUES ({marks})", *values)

    def sent(self) -> list[tuple[str, str | None]]:
        """Ids and payloads on the topic, in its order."""
        return [(dict(message.headers)["id"], message.value) for message in self.topics.read(self.topic)]

    def open(self) -> list[int]:
        found = self.legacy.execute("SELECT id FROM outbox WHERE published_at IS NULL ORDER BY id")
        return [int(number) for (number,) in found]

    def killed_at(self, step: str) -> DrainProcess:
        """A drain that was killed at a step."""
        drain = self.drains.start(step)
        assert drain.reach(step), drain.error
        drain.kill()
        assert drain.killed
        return drain


@pytest.fixture
def outbox(request, forks, kafka, topics, tmp_path):
    database, mode = request.param
    with reused_database(request, database) as legacy:
        create_outbox(legacy)
        url = legacy.url.render_as_string(hide_password=False)
        job = Job(url, kafka.bootstrap, str(tmp_path), "{aggregate_type}", arguments={"after_publish": mode})
        yield Outbox(legacy, forks.drains(job), topics, topics.make())


every_database_and_mode = pytest.mark.parametrize("outbox", CASES, indirect=True, ids="-".join)


@every_database_and_mode
def test_a_lower_id_that_commits_behind_a_crash_is_delivered(outbox):
    outbox.insert("later", 10)
    outbox.killed_at("saved")
    assert outbox.drains.receipt() == ["10"]
    assert outbox.open() == [10]
    outbox.insert("earlier", 5)

    assert outbox.drains.run().report
    assert outbox.sent() == [("10", "later"), ("5", "earlier")]
    assert outbox.open() == []


@every_database_and_mode
def test_rows_of_a_table_that_is_emptied_and_numbered_anew_are_all_delivered(outbox):
    for number in (1, 2, 3):
        outbox.insert(f"old {number}")
    outbox.killed_at("saved")
    assert outbox.drains.receipt() == ["1", "2", "3"]
    for statement in EMPTIED[outbox.legacy.dialect]:
        outbox.legacy.execute(statement)
    for number in (1, 2, 3, 4):
        outbox.insert(f"new {number}")
    assert outbox.open() == [1, 2, 3, 4]

    assert outbox.drains.run().report
    old, new = ([(str(id_), f"{of} {id_}") for id_ in range(1, 5)] for of in ("old", "new"))
    assert outbox.sent() == old[:3] + new
    assert outbox.open() == []


EMPTIED = {
    "postgresql": ["TRUNCATE outbox RESTART IDENTITY"],
    "mysql": ["DELETE FROM outbox", "ALTER TABLE outbox AUTO_INCREMENT = 1"],
    "sqlite": ["DELETE FROM outbox", "DELETE FROM sqlite_sequence"],
}


@every_database_and_mode
def test_a_drain_that_stands_still_before_its_change_keeps_others_out_until_it_dies(outbox):
    outbox.insert("one")
    first = outbox.drains.start("published")
    assert first.reach("published")
    first.pause()

    kind, _, holder = outbox.drains.run(run="another").error
    assert kind == "BusyError"
    assert "run 'the-run'" in holder
    assert outbox.sent() == [("1", "one")]
    assert outbox.open() == [1]

    first.kill()
    assert outbox.drains.run().report
    assert outbox.sent() == [("1", "one")] * 2
    assert outbox.open() == []


@every_database_and_mode
def test_both_versions_of_a_row_that_is_upserted_while_it_is_published_are_delivered(outbox):
    outbox.insert("old")
    drain = outbox.drains.start("published")
    assert drain.reach("published")
    end = "ON DUPLICATE KEY UPDATE" if outbox.legacy.dialect == "mysql" else "ON CONFLICT (id) DO UPDATE SET"
    outbox.legacy.execute(
        f"INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES (1, 'x', 'a', 't', 'x')"
        f" {end} payload = 'new'"
    )
    drain.go_on()
    assert drain.end().report
    assert outbox.open() == [1]

    assert outbox.drains.run().report
    assert outbox.sent() == [("1", "old"), ("1", "new")]
    assert outbox.open() == []


@every_database_and_mode
def test_a_row_that_somebody_else_deletes_while_it_is_published_is_warned_of(outbox):
    for payload in ("one", "two"):
        outbox.insert(payload)
    drain = outbox.drains.start("published")
    assert drain.reach("published")
    outbox.legacy.execute("DELETE FROM outbox WHERE id = 1")
    drain.go_on()

    assert drain.end().report.events == 2
    [warning] = [line for line in drain.warnings() if "by another process" in line]
    assert warning.startswith("1 rows of table 'outbox' were deleted or marked by another process")
    assert outbox.open() == []


@pytest.mark.parametrize(("outbox", "step"), KILLS, indirect=["outbox"])
def test_a_drain_that_is_killed_at_a_step_loses_nothing_and_repeats_what_was_not_saved(outbox, step):
    for number in range(1, 7):
        outbox.insert(f"{number}", aggregate=f"{number % 2}")
    drain = outbox.drains.start(step, batch_rows=2)
    assert drain.reach(step)
    drain.kill()
    before = outbox.sent()
    assert before == [(str(number), str(number)) for number in range(1, len(before) + 1)]

    assert outbox.drains.run().report
    unsaved = before if step in ("read", "published") else []
    rest = [(str(number), str(number)) for number in range(len(before) + 1, 7)]
    assert outbox.sent() == before + unsaved + rest
    assert outbox.open() == []
