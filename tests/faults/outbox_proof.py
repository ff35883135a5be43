"""What is looked at while writers fill an outbox and drains of it die: what lies on the topics, and what is open."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.faults.drain_child import STEPS
from tests.faults.drains import DrainProcess, Drains
from tests.support.legacy import Legacy
from tests.support.outbox_writers import Journal
from tests.support.topic_reader import TopicReader
from tests.support.topics import Message


@dataclass
class Seen:
    """Events on the topics, by their payload.

    Attributes:
        first: topic, key and id of each event when it first came.
        numbers: of the events of each aggregate, in the order in which they first came.
        repeats: messages beyond the first of an event.
    """

    first: dict[str, tuple[str, str | None, str]] = field(default_factory=dict)
    by_id: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    repeats: int = 0

    def take(self, found: list[tuple[str, Message]], may_repeat: set[str]) -> None:
        """Take messages; those of events that came before must be equal, and of those that may be repeated."""
        for topic, message in found:
            payload, [id_] = str(message.value), [text for name, text in message.headers if name == "id"]
            what = (topic, message.key, id_)
            if payload not in self.first:
                assert id_ not in self.by_id, "two events have one id"
                self.first[payload], self.by_id[id_] = what, payload
                event = json.loads(payload)
                self.numbers[event["aggregate"]].append(event["number"])
                continue
            assert self.first[payload] == what, "an event came again as another message"
            assert payload in may_repeat, f"{payload} came again, and was no open, unsaved row when a drain died"
            self.repeats += 1


@dataclass
class Proof:
    """One outbox under its writers, drained round by round.

    Attributes:
        rounds: drains so far.
        kills: by the last step that the killed drain told.
        failures: drains that failed by themselves, by class.
    """

    legacy: Legacy
    drains: Drains
    journal: Journal
    reader: TopicReader
    random: random.Random
    seen: Seen = field(default_factory=Seen)
    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    _may_repeat: set[str] = field(default_factory=set)

    def let_run(self) -> DrainProcess:
        """A drain that runs to its end."""
        drain = self.drains.run()
        assert drain.report, drain.error
        return self._look(drain)

    def kill(self) -> DrainProcess:
        """A drain that is killed: at a step of its own, right behind one, or at any time."""
        step, number = self.random.choice(STEPS), self.random.randint(1, 3)
        how = self.random.choice(("at", "at", "behind", "any time"))
        drain = self.drains.start(*([step] if how == "at" else []))
        if how == "any time":
            drain.reach("", seconds=self.random.random())
        else:
            for at in range(1, number + 1):
                if drain.reach(step, at) and how == "at" and at < number:
                    drain.go_on()
        drain.kill()
        if drain.killed:
            self.kills[drain.steps[-1] if drain.steps else "before any step"] += 1
        return self._look(drain)

    def restart(self, kafka: Any) -> DrainProcess:
        """A drain whose broker is killed while it publishes, and comes back."""
        drain = self.drains.start()
        drain.reach("read")
        kafka.kill()
        kafka.restart()
        return self._look(drain.end())

    def open(self) -> set[str]:
        """Payloads of the open rows."""
        found = self.legacy.execute("SELECT payload FROM outbox WHERE published_at IS NULL")
        return {payload for (payload,) in found}

    def lost(self) -> set[str]:
        """Committed events that are no longer open, and not on a topic."""
        return self.journal.snapshot() - self.open() - self.seen.first.keys()

    def _look(self, drain: DrainProcess) -> DrainProcess:
        """Look at the topics and the table behind a drain."""
        self.rounds += 1
        committed, open_ = self.journal.snapshot(), self.open()
        self.seen.take(self.reader.read_on(), self._may_repeat)
        assert committed - open_ <= self.seen.first.keys(), "a row was deleted or marked that is not on its topic"
        received = set(self.drains.receipt())
        assert received <= self.seen.by_id.keys(), "a row was saved as delivered that is not on its topic"
        saved = {self.seen.by_id[id_] for id_ in received}
        self._may_repeat = set() if drain.report else open_ - saved
        if drain.error:
            self.failures[drain.error[0]] += 1
        return drain
