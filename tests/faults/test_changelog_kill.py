"""Writers change tables while runs of their change log are killed: each topic rebuilds its table, nothing is undone."""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults import changelog_child as child
from tests.support import proofs
from tests.support.engines import of
from tests.support.log_writers import KEYS, SCHEMA, TABLES, end, table, writing
from tests.support.profile import LONG
from tests.support.slots import LoggedDatabase, logged_database
from tests.support.topic_reader import TopicReader
from tests.support.topics import Message

pytestmark = pytest.mark.timeout(900)

SECONDS, KILLS = (180, 40) if LONG else (20, 8)
ENGINES = of("postgresql") if LONG else ("postgresql-15",)


@dataclass
class Seen:
    """Messages on the topics, in the order in which each first came.

    Attributes:
        values: by topic and event id.
        keys: events by table and key.
        rows: what a consumer has of each table: rows by key.
        may_repeat: topics and ids of messages that no saved watermark covers.
        repeats: messages that came again.
    """

    values: dict[tuple[str, str], str | None] = field(default_factory=dict)
    keys: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    may_repeat: set[tuple[str, str]] = field(default_factory=set)
    repeats: int = 0

    def take(self, found: list[tuple[str, Message]], covered: Any) -> None:
        """Take the messages of one run; those that came before must be equal, and not covered by a save."""
        ids: dict[str, list[str]] = defaultdict(list)
        for topic, message in found:
            event = message.event
            id_ = event["id"]
            assert id_ not in ids[topic], f"one run sent {id_} twice"
            ids[topic].append(id_)
            self._keep(topic, id_, message, event)
        for topic, sent in ids.items():
            count = covered.get(topic, 0)
            self.may_repeat |= {(topic, id_) for id_ in sent[count:]}
            self.may_repeat -= {(topic, id_) for id_ in sent[:count]}

    def _keep(self, topic: str, id_: str, message: Message, event: dict[str, Any]) -> None:
        name = topic.rsplit(".", 1)[1]
        key = message.key if name != "names" else "/".join(map(str, json.loads(str(message.key))))
        event["v"] = (event["data"] or {}).get("v") if event["op"] != "d" else None
        if event["op"] == "d":
            self.rows[name].pop(str(key), None)
        else:
            self.rows[name][str(key)] = {**self.rows[name].get(str(key), {}), **event["data"]}
        if (topic, id_) in self.values:
            assert self.values[topic, id_] == message.value, f"{id_} came again with another value"
            assert (topic, id_) in self.may_repeat, f"{id_} came again, and a saved watermark covers it"
            self.repeats += 1
            return
        self.values[topic, id_] = message.value
        self.keys[name, str(key)].append(event)


@dataclass
class Proof:
    """One log under its writers, read run by run.

    Attributes:
        died: runs by where they died.
        ended: runs that ended by themselves.
    """

    logged: LoggedDatabase
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
        assert process.exitcode == 0, (Path(self.job.folder) / "log").read_text()[-3000:]
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
        assert process.exitcode in (0, -9), (Path(self.job.folder) / "log").read_text()[-3000:]
        self.ended += process.exitcode == 0
        self.died[step] += process.exitcode != 0
        self._look()

    def _job(self, **changed: Any) -> child.Job:
        self.job = replace(self.job, attempt=self.job.attempt + 1)
        return replace(self.job, **changed)

    def _look(self) -> None:
        self.seen.take(self.reader.read_on(), child.covered(self.job.folder))


@pytest.fixture
def proof(request, topics, tmp_path):
    """A proof in the making; two of its three tables are there, and filled."""
    statements = [*SCHEMA, *table("orders"), *table("names")]
    with logged_database(request, request.param, *statements) as logged:
        logged.execute(
            f"INSERT INTO shop.orders SELECT n, nextval('journal.versions'), 'seed' FROM generate_series(1, {KEYS}) n"
        )
        prefix = topics.name()
        reader = TopicReader(topics.kafka.bootstrap, [topics.make(f"{prefix}.{name}") for name in TABLES])
        url = logged.legacy.url.render_as_string(hide_password=False)
        job = child.Job(url, topics.kafka.bootstrap, str(tmp_path), f"{prefix}.{{table}}", ("shop.*",), logged.name)
        yield Proof(logged, job, reader, random.Random(request.param))
        reader.close()


@pytest.mark.parametrize("proof", ENGINES, indirect=True)
def test_each_topic_rebuilds_its_table_whatever_dies(proof, request):
    names = ["orders", "names"]
    with writing(proof.logged.legacy, names) as writers:
        began, altered = time.monotonic(), False
        while (share := (time.monotonic() - began) / SECONDS) < 1 or proof.died.total() < KILLS:
            if share > 0.3 and not altered:
                altered = bool(alter(proof, names))
            if proof.died.total() <= KILLS * share:
                proof.kill()
            else:
                proof.let_run()
        end(writers)
        proof.let_run()
        loaded = last_of_history(proof)
    proof.let_run()

    check_tables(proof)
    check_history(proof)
    figures = {
        "events": len(proof.seen.values),
        "history": loaded,
        "died": dict(proof.died),
        "ended": proof.ended,
        "repeats": proof.seen.repeats,
    }
    proofs.keep_figures(f"{request.node.name}: {json.dumps(figures)}")


def alter(proof: Proof, names: list[str]) -> bool:
    """Add a nullable column and a table."""
    proof.logged.execute("ALTER TABLE shop.orders ADD COLUMN later text", *table("extras"))
    names.append("extras")
    return True


def last_of_history(proof: Proof) -> int:
    [(found,)] = proof.logged.execute("SELECT coalesce(max(seq), 0) FROM journal.history")
    return int(found)


def check_tables(proof: Proof) -> None:
    """Check that a consumer of each topic has the rows of its table."""
    for name, columns in TABLES.items():
        rows = proof.logged.execute(f"SELECT concat_ws('/', {columns}), to_jsonb(t)::text FROM shop.{name} AS t")
        expected = {key: json.loads(row) for key, row in rows}
        found = proof.seen.rows[name]
        assert found.keys() == expected.keys(), f"shop.{name}: {found.keys() ^ expected.keys()}"
        for key, row in expected.items():
            assert {column: found[key].get(column) for column in row} == row, f"shop.{name} {key}"


def check_history(proof: Proof) -> None:
    """Check that each event was committed, in the order of its key, and that none is missing behind a key's row."""
    history: dict[tuple[str, str], list[tuple[str, int | None]]] = defaultdict(list)
    for name, key, op, version in proof.logged.execute("SELECT source, key, op, v FROM journal.history ORDER BY seq"):
        history[name, key].append((op, version))
    committed = {version for entries in history.values() for _, version in entries}
    for of_key, events in proof.seen.keys.items():
        changes = [(one["op"], one["v"]) for one in events if one["op"] != "r"]
        rows = [one["v"] for one in events if one["op"] == "r"]
        assert {version for _, version in changes} | {*rows} <= committed | {None}, "an event was never committed"
        entries = iter(history[of_key])
        assert all(change in entries for change in changes), f"{of_key}: {changes} is not in the order of its history"
        after = [(one["op"], one["v"]) for one in events[max_of_rows(events) :]]
        if after and after[0][0] != "d":
            assert history[of_key][-len(after) :] == after, f"{of_key}: something is missing behind its row"


def max_of_rows(events: list[dict[str, Any]]) -> int:
    """Return the place behind the last row of a snapshot."""
    return max((at + 1 for at, one in enumerate(events) if one["op"] == "r"), default=0)
