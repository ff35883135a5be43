"""One transaction of the log: its changes are numbered, and those that were delivered before are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_legacy_events.core.model.log import LogForm, LogGap, LogPosition, LogTruncate, TableName
from airflow_legacy_events.databases.postgres.changelog import pgoutput
from airflow_legacy_events.databases.postgres.changelog.changes import Changes, UntoldError
from airflow_legacy_events.databases.postgres.changelog.collecting import Collector
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.relations import Relations

_NOT_UTF8 = "a text of the row is not UTF-8"


class Transaction:
    """A transaction while it is read.

    Args:
        begin: its Begin message.
        place: of its commit record, as text.
        xid: its 64-bit number.
        delivered: how many of its changes were delivered before.

    Attributes:
        place: of its commit record.
        xid: its 64-bit number.
        number: of its last change so far, from 1.
    """

    def __init__(self, begin: pgoutput.Begin, place: str, xid: int, delivered: int) -> None:
        self.place, self.xid, self.number = place, xid, 0
        self._time, self._delivered = begin.time, delivered

    def change(self, kind: int, changes: Changes, message: bytes, found: Collector) -> LogGap | None:
        """Add the rows of a change to those collected; return a gap if it can't be told."""
        self.number += 1
        try:
            if kind == pgoutput.INSERT:
                row = changes.inserted(message, self.place, self.number, self._time)
                self._add(found, changes.form, "c", row, None)
            elif kind == pgoutput.UPDATE:
                self._update(changes, message, found)
            else:
                old = changes.deleted(message)
                self._add(found, changes.form, "d", (*old, *self.hidden), old)
        except UntoldError as error:
            return self._gap(changes.form.table, error.why, removed=kind != pgoutput.INSERT)
        except UnicodeDecodeError:
            return self._gap(changes.form.table, _NOT_UTF8, removed=kind != pgoutput.INSERT)
        return None

    def _update(self, changes: Changes, message: bytes, found: Collector) -> None:
        updated = changes.updated(message, self.place, self.number, self._time)
        new, old = updated.new, updated.old
        if old is None:
            old = changes.key_of(new) if found.before else None
        elif updated.moved:
            self._add(found, changes.form, "d", (*old, *self.hidden), old)
            self.number += 1
            count = len(old)
            self._add(found, changes.form, "c", (*new[: count + 1], self.number, *new[count + 2 :]), None)
            return
        self._add(found, changes.form, "u", new, old)

    def _add(
        self, found: Collector, form: LogForm, op: str, row: tuple[Any, ...], before: tuple[Any, ...] | None
    ) -> None:
        if self.number > self._delivered:
            found.add(form, op, row, before)

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
        last = {relations[oid].form.table: at for at, oid in enumerate(oids, start=1)}
        for table, at in sorted(last.items(), key=lambda one: one[1]):
            self.number = before + at
            emptied = relations[oids[at - 1]]
            if self.wanted:
                partial = emptied.leaf and not set(options.leaves_of(table)) <= set(oids)
                yield LogTruncate(emptied.form, self.hidden, partial)
        self.number = before + len(oids)
