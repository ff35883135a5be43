"""A transaction of the binlog, once its end was seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event

MOST_BYTES = 16 * 2**20
"""Bytes of the events that wait for the end of their transaction in memory; a larger one is read again."""

COMMITTED, ROLLED_BACK = "committed", "rolled back"
PREPARED, XA_COMMITTED, XA_ROLLED_BACK = "prepared", "xa committed", "xa rolled back"


@dataclass(slots=True)
class Transaction:
    """A transaction, or a statement that commits by itself.

    Attributes:
        place: where it begins.
        end: behind it.
        gtid: its name; None if it has none.
        mariadb: whether a server of MariaDB wrote it.
        server_id: of the server that wrote it first.
        thread: of the session that wrote it; None if the log does not say.
        number: that the server gave it; None if the log does not say.
        seconds: of its end, since 1970.
        changed: the same of its last change of rows, or of the statement that ends it. A replica of MariaDB logs these
            as its source did, but gives the end of a transaction another time.
        micros: of its commit since 1970; None if the log does not say.
        outcome: how it ended.
        xid: name of the XA transaction that it prepares or ends.
        count: how many events it has.
        events: those that concern tables of the stream, and statements, with their numbers in it; None if they are too
            large to be kept.
        undone: numbers of the first and last event of each part that was rolled back.
        matters: whether it has rows of the stream's tables, or statements.
        standalone: whether one statement is all of it.
        begun: whether it ends with an event of its own.
        alters: `start` or `rollback` if its statement changes nothing, since an ALTER is logged in two parts.
        bytes: of `events`.
    """

    place: BinlogPlace
    end: BinlogPlace
    gtid: str | None = None
    mariadb: bool = False
    server_id: int = 0
    thread: int | None = None
    number: int | None = None
    seconds: int = 0
    changed: int | None = None
    micros: int | None = None
    outcome: str = COMMITTED
    xid: str | None = None
    count: int = 1
    events: list[tuple[int, Event]] | None = field(default_factory=list)
    undone: list[tuple[int, int]] = field(default_factory=list)
    matters: bool = False
    standalone: bool = False
    begun: bool = False
    alters: str | None = None
    bytes: int = 0
    _savepoints: list[tuple[str, int]] = field(default_factory=list)

    def keep(self, event: Event, most: int) -> None:
        """Keep an event in memory, unless they have more bytes than `most` then."""
        if self.events is None:
            return
        self.bytes += len(event.body)
        if self.bytes > most:
            self.events = None
        else:
            self.events.append((self.count - 1, event))

    def save_point(self, name: str) -> None:
        """Note a savepoint; one of the same name is forgotten."""
        self._savepoints = [one for one in self._savepoints if one[0] != name]
        self._savepoints.append((name, self.count - 1))

    def undo(self, name: str) -> None:
        """Note that everything behind a savepoint was rolled back.

        Raises:
            ValueError: there is no such savepoint.
        """
        at = next((place for place, one in enumerate(self._savepoints) if one[0] == name), None)
        if at is None:
            raise ValueError("a part of the transaction is rolled back to a savepoint that is not in the log")
        del self._savepoints[at + 1 :]
        first, last = self._savepoints[at][1], self.count - 1
        self.undone = [one for one in self.undone if one[0] < first]
        self.undone.append((first, last))

    def release(self, name: str) -> None:
        """Forget a savepoint, and those behind it."""
        at = next((place for place, one in enumerate(self._savepoints) if one[0] == name), None)
        if at is not None:
            del self._savepoints[at:]
