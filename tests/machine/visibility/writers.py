"""The writers of the visibility machine: random steps of several sessions that take turns."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable
from typing import Any

from tests.machine.visibility.session import Session, State
from tests.support.legacy import Legacy

_STEPS: dict[State, dict[str, float]] = {
    State.IDLE: {"begin": 6, "insert": 3, "update": 2, "delete": 1, "wait": 1, "call": 0.7},
    State.OPEN: {
        "insert": 5,
        "update": 3,
        "delete": 1,
        "take": 3,
        "use": 3,
        "save": 1,
        "roll_back": 1,
        "look": 1,
        "wait": 1,
        "commit": 5,
        "abort": 1.5,
        "prepare": 1,
        "kill": 0.3,
    },
    State.GATED: {"pass_gate": 1, "kill": 0.1},
    State.PREPARED: {"commit": 1, "abort": 0.5, "kill": 0.5},
}
_MOST_PREPARED = 3


class Writers:
    """Sessions of an application, of which one at a time takes a step.

    Args:
        legacy: the database.
        words: of the database.
        rng: chooses.
        most: sessions.
    """

    def __init__(self, legacy: Legacy, words: Any, rng: random.Random, most: int = 4) -> None:
        self._legacy, self._words, self._rng = legacy, words, rng
        self._numbers, self._names = itertools.count(1), itertools.count(1)
        self.sessions = [Session(legacy, words, number) for number in range(most)]
        self.prepared: dict[str, set[tuple[str, int]]] = {}
        self.steps: list[str] = []

    def step(self) -> None:
        """Let one of the sessions take a step."""
        session = self._rng.choice(self.sessions)
        weights = _STEPS[session.state]
        [name] = self._rng.choices(list(weights), list(weights.values()))
        self.steps.append(f"{session.number} {name}")
        self._try(session, getattr(self, f"_{name}"))

    def _try(self, session: Session, step: Callable[[Session], None]) -> None:
        try:
            step(session)
        except Exception as error:
            if not self._words.waited(error):
                raise
            self.steps.append(f"{session.number} gave up")

    def finish_prepared(self) -> None:
        """End one of the prepared transactions that no session holds."""
        if self.prepared:
            gid = self._rng.choice(sorted(self.prepared))
            self.steps.append(f"end {gid}")
            del self.prepared[gid]
            with contextlib.suppress(*self._words.gone):
                self._legacy.execute(self._rng.choice(self._words.ends).format(gid))

    def lose(self) -> None:
        """Note that the server was restarted: sessions are lost, what was prepared stays."""
        self.steps.append("restart")
        for session in self.sessions:
            if session.state is State.PREPARED and session.gid is not None:
                self.prepared[session.gid] = session.touched
            session.lose()

    def finish(self) -> None:
        """End all transactions."""
        for session in self.sessions:
            if session.state is State.GATED:
                self._try(session, self._pass_gate)
            if session.state is not State.IDLE:
                session.end(self._rng.choice(("COMMIT", "COMMIT", "ROLLBACK")))
        while self.prepared:
            self.finish_prepared()

    def close(self) -> None:
        """End all sessions."""
        for session in self.sessions:
            session.close()
        while self.prepared:
            self.finish_prepared()

    def _begin(self, session: Session) -> None:
        if self._words.named and self._rng.random() < 0.3:
            session.gid = self._name()
            session.do(self._words.named.format(session.gid))
        else:
            for statement in self._rng.choice(self._words.begins).split("; "):
                session.do(statement)
        session.state = State.OPEN

    def _insert(self, session: Session) -> None:
        table = self._rng.choice(self._words.tables)
        into, rows = self._rng.choice(table.into), self._rng.randint(1, 3)
        marks = ", ".join(["(%s)"] * rows)
        session.do(f"INSERT INTO {into} (n) VALUES {marks}", *(next(self._numbers) for _ in range(rows)))

    def _take(self, session: Session) -> None:
        if self._words.take is not None:
            table = self._rng.choice(self._words.tables)
            [(taken,)] = session.do(self._words.take.format(table.sequence))
            session.taken.append((table, taken))

    def _use(self, session: Session) -> None:
        if session.taken:
            table, taken = session.taken.pop(0)
            session.do(f"INSERT INTO {table.name} (id, n) VALUES (%s, %s)", taken, next(self._numbers))

    def _update(self, session: Session) -> None:
        table = self._rng.choice(self._words.tables)
        for one in self._free(table.name, session, self._rng.randint(1, 3)):
            session.do(f"UPDATE {table.name} SET n = %s WHERE id = %s", next(self._numbers), one)

    def _delete(self, session: Session) -> None:
        table = self._rng.choice(self._words.tables)
        for one in self._free(table.name, session, 1):
            session.do(f"DELETE FROM {table.name} WHERE id = %s", one)

    def _free(self, table: str, session: Session, most: int) -> list[int]:
        """Return ids of rows that no open transaction has written, and note that this session writes them."""
        held = {one for other in self.sessions for one in other.touched}.union(*self.prepared.values())
        found = [key for (key,) in self._legacy.execute(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 40")]
        free = [key for key in found if (table, key) not in held]
        chosen = self._rng.sample(free, min(most, len(free)))
        if session.state is State.OPEN:
            session.touched |= {(table, key) for key in chosen}
        return chosen

    def _save(self, session: Session) -> None:
        session.do("SAVEPOINT one")
        session.saved = True

    def _roll_back(self, session: Session) -> None:
        if session.saved:
            session.do("ROLLBACK TO SAVEPOINT one")

    def _look(self, session: Session) -> None:
        session.do(f"SELECT count(*) FROM {self._rng.choice(self._words.tables).name}")

    def _wait(self, session: Session) -> None:
        if sum(one.state is State.GATED for one in self.sessions) < len(self.sessions) - 1:
            gate = self._words.gate(next(self._names), str(self._legacy.url.database))
            numbers = next(self._numbers), next(self._numbers)
            statement = self._words.gated(self._rng, self._rng.choice(self._words.tables), numbers, gate)
            session.wait_at(gate, *statement)

    def _call(self, session: Session) -> None:
        gate = self._words.gate(next(self._names), str(self._legacy.url.database))
        call = self._words.in_parts((next(self._numbers), next(self._numbers)), gate)
        if call is not None:
            session.wait_at(gate, *call)

    def _pass_gate(self, session: Session) -> None:
        session.go_through()

    def _commit(self, session: Session) -> None:
        session.end("COMMIT")

    def _abort(self, session: Session) -> None:
        session.end("ROLLBACK")

    def _kill(self, session: Session) -> None:
        gid, touched = (session.gid if session.state is State.PREPARED else None), session.touched
        session.kill()
        if gid is not None:
            self.prepared[gid] = touched

    def _prepare(self, session: Session) -> None:
        if (self._words.named and session.gid is None) or len(self.prepared) >= _MOST_PREPARED:
            return
        gid = session.gid or self._name()
        for statement in self._words.prepares:
            session.do(statement.format(gid))
        if self._words.attached:
            session.state = State.PREPARED
        else:
            self.prepared[gid] = session.touched
            session.rest()

    def _name(self) -> str:
        """Return a name that no other transaction of the server has."""
        return f"{self._legacy.url.database}-{next(self._names)}"
