"""One transaction of the log: its changes are numbered, and those that were delivered before are dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from airflow_legacy_events.core.model.log import LogGap, LogPosition, LogTruncate, TableName
from airflow_legacy_events.databases.postgres.changelog import pgoutput
from airflow_legacy_events.databases.postgres.changelog.changes import Changes, UntoldError
from airflow_legacy_events.databases.postgres.changelog.collecting import Collector
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.pgoutput import PAYLOAD, TUPLE
from airflow_legacy_events.databases.postgres.changelog.relations import Relations

_NOT_UTF8 = "a text of the row is not UTF-8"


class Transaction:
    """A transaction while it is read.

    Args:
        begin: its Begin message.
        place: of its commit record, as text.
        xid: its 64-bit number.
        delivered: how many of its changes were delivered before.
        most: raw bytes of a row.

    Attributes:
        place: of its commit record.
        xid: its 64-bit number.
        number: of its last change so far, from 1.
    """

    def __init__(self, begin: pgoutput.Begin, place: str, xid: int, delivered: int, most: int) -> None:
        self.place, self.xid, self.number = place, xid, 0
        self._time, self._delivered, self._most = begin.time, delivered, most

    def change(
        self, kind: int, changes: Changes, message: bytes, found: Collector, behind: deque[bytes] | None = None
    ) -> LogGap | None:
        """Add the rows of a change to those collected; return a gap if it can't be reported.

        INSERTs of the same table that follow at once are read with it, which takes three quarters of the time.

        Args:
            kind: of the message.
            changes: of its relation.
            message: of the change.
            found: what was collected.
            behind: messages that follow; those that were read are taken from it.
        """
        self.number += 1
        if len(message) > self._most and (size := _row_bytes(kind, message)) > self._most:
            why = f"a row has {size} bytes in the log, more than max_row_bytes={self._most} (raise it to send the row)"
            return self._gap(changes.form.table, why, removed=kind != pgoutput.INSERT)
        try:
            if kind == pgoutput.INSERT:
                row = changes.inserted(message, self.place, self.number, self._time)
                if self.number > self._delivered:
                    found.add(changes.form, "c", row, None, len(message))
                    self._follow(changes, message[PAYLOAD:TUPLE], found, behind)
            elif kind == pgoutput.UPDATE:
                self._update(changes, message, found)
            else:
                old = changes.deleted(message)
                if self.number > self._delivered:
                    found.add(changes.form, "d", (*old, *self.hidden), old, len(message))
        except UntoldError as error:
            return self._gap(changes.form.table, error.why, removed=kind != pgoutput.INSERT)
        except UnicodeDecodeError:
            return self._gap(changes.form.table, _NOT_UTF8, removed=kind != pgoutput.INSERT)
        return None

    def _follow(self, changes: Changes, head: bytes, found: Collector, behind: deque[bytes] | None) -> None:
        """Add the rows of the messages that begin as one INSERT did, as far as the chunk has room."""
        if not behind or found.full or behind[0][PAYLOAD:TUPLE] != head or not changes.plain:
            return
        most, most_bytes = found.room
        run: list[bytes] = []
        for message in behind:
            if most_bytes <= 0 or len(run) == most or message[PAYLOAD:TUPLE] != head or len(message) > self._most:
                break
            run.append(message)
            most_bytes -= len(message)
        rows = changes.rows(run, self.place, self.number + 1, self._time)
        for _ in rows:
            behind.popleft()
        self.number += len(rows)
        found.add_inserted(changes.form, rows, sum(map(len, run[: len(rows)])))

    def _update(self, changes: Changes, message: bytes, found: Collector) -> None:
        new, old, moved = changes.updated(message, self.place, self.number, self._time)
        form, size = changes.form, len(message)
        if old is not None and moved:
            if self.wanted:
                found.add(form, "d", (*old, *self.hidden), old, size)
            self.number += 1
            if self.wanted:
                count = len(old)
                found.pair(self.place, self.number - 1, old, new[:count])
                found.add(form, "c", (*new[: count + 1], self.number, *new[count + 2 :]), None, size)
        elif self.wanted:
            before = changes.key_of(new) if old is None and found.before else old
            found.add(form, "u", new, before, size)

    @property
    def wanted(self) -> bool:
        """Whether the last change was not delivered before."""
        return self.number > self._delivered

    @property
    def position(self) -> LogPosition:
        """Position behind the last change."""
        return LogPosition(self.place, max(self.number, self._delivered))

    @property
    def hidden(self) -> tuple[Any, ...]:
        """Values of `HIDDEN` of the last change, without unchanged columns."""
        return (self.place, self.number, self._time, None)

    def _gap(self, table: TableName, why: str, *, removed: bool) -> LogGap | None:
        return LogGap(table, self.hidden, why, lost=True, removed=removed) if self.wanted else None

    def truncated(self, message: bytes, relations: Relations, options: ReaderOptions) -> Iterator[LogTruncate]:
        """Yield the tables that a TRUNCATE emptied; `number` is that of the one just yielded.

        Each relation of the message has a number. A table has that of its last partition.
        """
        oids, before = pgoutput.truncated(message), self.number
        last = {relations.found[oid].form.table: at for at, oid in enumerate(oids, start=1)}
        for table, at in sorted(last.items(), key=lambda one: one[1]):
            self.number = before + at
            emptied = relations.found[oids[at - 1]]
            if self.wanted:
                partial = emptied.leaf and not set(options.leaves_of(table)) <= set(oids)
                yield LogTruncate(emptied.form, self.hidden, partial)
        self.number = before + len(oids)


def _row_bytes(kind: int, message: bytes) -> int:
    """Return about how many bytes a row has: an UPDATE with an old row holds two."""
    return len(message) // 2 if kind == pgoutput.UPDATE and message[pgoutput.KIND] == pgoutput.OLD_ROW else len(message)
