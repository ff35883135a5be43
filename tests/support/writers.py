"""Writers of a legacy database beside a run, each with a session of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from threading import Event, Thread
from typing import Any

import MySQLdb

from airflow_legacy_events.core.ports import Blocker, RowWriters, WritersLook, Written
from airflow_legacy_events.databases.mysql.writers.status import transactions_in

UNTIL = 20.0
"""Seconds after which a test that waits fails."""


def writers_of(database: Any, column: str, table: str = "t") -> RowWriters:
    """The writers of a table's rows, in the order of a column."""
    found = database.reflect(table, None)
    [of] = [one for one in found.columns if one.name == column]
    writers = database.writers(Written(table, of, "UTC", found.state))
    assert writers is not None
    return writers


def until(found: Callable[[], Any]) -> Any:
    """What is found, as soon as it is."""
    end = time.monotonic() + UNTIL
    while not (answer := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return answer


class Writer:
    """A session of an application."""

    def __init__(self, legacy: Any, **url: Any) -> None:
        self._legacy, self.connection = legacy, legacy.connect(**url)
        self.number = self.connection.number
        self._thread: Thread | None = None

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def start(self, *statements: str, shows: str) -> None:
        """Run statements, and return while they do; the server then shows this text as what the session does."""
        self._thread = Thread(target=self._quietly, args=statements)
        self._thread.start()
        until(lambda: shows in self.shown())

    def shown(self) -> str:
        """What the server shows of the session."""
        rows = self._legacy.execute(
            "SELECT CONCAT(command, ' ', COALESCE(state, ''), ' ', COALESCE(info, ''))"
            " FROM information_schema.processlist WHERE id = %s",
            self.number,
        )
        return str(rows[0][0]) if rows else ""

    @property
    def transaction(self) -> str:
        """The server's number of its transaction."""
        [(*_, text)] = self._legacy.execute("SHOW ENGINE INNODB STATUS")
        return next(one.id for one in transactions_in(text) or () if one.thread == self.number)

    def _quietly(self, *statements: str) -> None:
        with contextlib.suppress(MySQLdb.Error):  # killed
            self.run(*statements)

    def end(self) -> None:
        """Wait for what was started."""
        if self._thread is not None:
            self._thread.join(UNTIL)
            assert not self._thread.is_alive()
            self._thread = None

    def close(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(MySQLdb.Error):
                self._legacy.execute(f"KILL {self.number}")
        self.end()
        self.connection.close()
        until(lambda: not self.shown())


@contextmanager
def gate(legacy: Any, name: str) -> Iterator[Callable[[], None]]:
    """Holds a lock of an application until the call; others wait for it by GET_LOCK."""
    with contextlib.closing(legacy.connect()) as holder:
        holder.execute(f"SELECT GET_LOCK('{name}', 0)")
        yield lambda: holder.execute(f"SELECT RELEASE_LOCK('{name}')") and None


def mine(found: WritersLook | Mapping[str, Blocker], writer: Writer) -> list[str]:
    """The members of a set that are a writer's; others use the server too."""
    members = found.open if isinstance(found, WritersLook) else found
    return [name for name, one in members.items() if one.pid == writer.number]


@contextmanager
def reading_constantly(legacy: Any) -> Iterator[None]:
    """A monitor that reads the list of transactions more often than the server renews it."""
    ended = Event()

    def read() -> None:
        with contextlib.closing(legacy.connect()) as monitor:
            while not ended.wait(0.02):
                monitor.execute("SELECT * FROM information_schema.innodb_trx")

    thread = Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Mark:
    """A mark, its set, and whether something appears below it once the set has drained.

    Args:
        legacy: with a table t of ids, and times of the last change.
        writers: of its rows, by one of both.
        beside: whether a further row is committed before the look.
    """

    def __init__(self, legacy: Any, writers: Any, *, beside: bool = True) -> None:
        self._legacy, self._writers = legacy, writers
        self.order = writers._of.column.name
        if beside:
            with contextlib.closing(legacy.connect()) as other:
                other.execute("INSERT INTO t (v) VALUES (1)")
        [(self._highest,)] = legacy.execute("SELECT MAX(id) FROM t")
        self.look = writers.look()
        self.seen: set[int] | None = None

    def below(self) -> set[int]:
        """The ids of the visible rows below the mark."""
        if self.order == "id":
            return {one for (one,) in self._legacy.execute("SELECT id FROM t WHERE id <= %s", self._highest)}
        self._legacy.execute("SET time_zone = '+00:00'")
        before = self.look.before.replace(tzinfo=None)
        return {one for (one,) in self._legacy.execute("SELECT id FROM t WHERE changed < %s", before)}

    def remaining(self) -> Mapping[str, Blocker]:
        return self._writers.remaining(tuple(self.look.open), self.look.server)

    def waits_for(self, writer: Writer) -> bool:
        """Whether the writer is in the set, and two later looks still find it."""
        found = mine(self.look, writer)
        return bool(found) and [mine(self.remaining(), writer) for _ in range(2)] == [found] * 2

    def drains(self, *writers: Writer, names: Collection[str] = ()) -> None:
        """Wait until these writers and members have ended; others use the server too."""
        numbers = {one.number for one in writers}
        until(lambda: not [name for name, one in self.remaining().items() if one.pid in numbers or name in names])
        self.seen = self.below()

    def held(self) -> bool:
        """Whether nothing has appeared below it since."""
        assert self.seen is not None
        return self.below() <= self.seen

    def drains_all(self) -> None:
        """Wait until the whole set has ended."""
        until(lambda: not self.remaining())
        self.seen = self.below()


_STEPS = (
    "INSERT INTO t (v) VALUES (1)",
    "INSERT INTO t (v) VALUES (1), (2), (3)",
    "INSERT INTO t (v) SELECT v FROM s",
    "UPDATE t SET v = v + 1 ORDER BY id DESC LIMIT 1",
    "SAVEPOINT a",
    "SELECT * FROM s",
    "DO SLEEP(0.05)",
)


def _write(legacy: Any, seed: int, ended: Event) -> None:
    choose = Random(seed)
    with contextlib.closing(legacy.connect()) as session:
        session.execute("SET innodb_lock_wait_timeout = 1")
        while not ended.is_set():
            xid = f"'{legacy.url.database}-{seed}'" if choose.random() < 0.2 else ""
            if choose.random() < 0.3:
                with contextlib.suppress(MySQLdb.OperationalError):
                    session.execute(choose.choice(_STEPS[:4]))
                continue
            session.execute(f"XA START {xid}" if xid else "BEGIN")
            try:
                for _ in range(choose.randrange(1, 5)):
                    session.execute(choose.choice(_STEPS))
                    ended.wait(choose.random() / 10)
                end = choose.choice(("COMMIT", "COMMIT", "ROLLBACK"))
                if xid:
                    session.execute(f"XA END {xid}")
                    session.execute(f"XA PREPARE {xid}")
                    ended.wait(choose.random() / 5)
                session.execute(f"XA {end} {xid}" if xid else end)
            except MySQLdb.OperationalError:  # a deadlock, or a wait for a lock
                with contextlib.suppress(MySQLdb.OperationalError):
                    session.execute(f"XA END {xid}" if xid else "ROLLBACK")
                with contextlib.suppress(MySQLdb.OperationalError):
                    session.execute(f"XA ROLLBACK {xid}" if xid else "ROLLBACK")


@contextmanager
def random_writers(legacy: Any, *, sessions: int, seconds: float) -> Iterator[Callable[[], bool]]:
    """Sessions that write, prepare, commit and roll back at random; the call returns whether they still do."""
    ended, until_then = Event(), time.monotonic() + seconds
    threads = [Thread(target=_write, args=(legacy, seed, ended)) for seed in range(sessions)]
    for one in threads:
        one.start()
    try:
        yield lambda: time.monotonic() < until_then
    finally:
        ended.set()
        for one in threads:
            one.join()
