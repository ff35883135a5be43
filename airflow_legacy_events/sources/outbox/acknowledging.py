"""Acknowledgement: confirmed rows are deleted or marked, but only if they have not changed since they were read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.ports import Answer, Lease
from airflow_legacy_events.sources.outbox.receipts import Key, Received, ReceivedRow
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.rows import BATCH_BYTES, Rows

_ONE: Any = sa.literal_column("1")
MOST_ROWS = 1_000
"""Maximum of rows of one transaction, which holds their locks for a few milliseconds at most."""
_FIRST_ROWS, _MOST_GROWTH = 25, 8
"""When rows are read again for comparison, the size of the first few determines how many are held at once."""


class Outcome(NamedTuple):
    """Outcome of confirmed rows.

    Attributes:
        done: deleted or marked.
        changed: changed since they were read: they stay, and are sent again.
        taken: deleted or marked by another session.
        kept: left unchanged by the database, without an error.
    """

    done: int = 0
    changed: int = 0
    taken: int = 0
    kept: int = 0

    def plus(self, more: Outcome) -> Outcome:
        """Return the sum of both."""
        return Outcome(*(one + other for one, other in zip(self, more, strict=True)))


@dataclass
class Acknowledgement:
    """Deletes or marks the confirmed rows of one table.

    Attributes:
        table: whose rows they are.
        rows: as the drain reads them.
        set_on_update: columns that the database would set to its time when a row is marked; they keep their values.
        effects: what a DELETE or UPDATE triggers there, for the error about rows that stay.
    """

    table: OutboxTable
    rows: Rows
    set_on_update: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    _warned: bool = field(default=False, init=False)
    _size: int = field(default=_FIRST_ROWS, init=False)

    def acknowledge(self, rows: Received, lease: Lease, *, again: bool) -> None:
        """Delete or mark rows, at most a thousand in a transaction, and fewer where they are wide.

        Args:
            rows: that were confirmed.
            lease: of the stream's lock.
            again: whether an earlier run may have done so already; then missing rows cause no warning.

        Raises:
            SourceError: the database left rows unchanged, or a statement failed.
        """
        versions = self.table.version is not None
        found, at = Outcome(), 0
        while at < len(rows):
            some = rows.part(at, MOST_ROWS if versions else self._size)
            at += len(some)
            found = found.plus(self._by_version(some, lease) if versions else self._by_value(some, lease))
            if found.kept:
                raise self._kept(found.kept)
        if found.changed and not again:
            self._tell_changed(found, len(rows))
        if found.taken and not again and not self._warned:
            self._warned = True
            self.log.warning(
                "%d rows of %s were deleted or marked by another process while they were published: a second drain, or"
                " a job that empties the table, may take rows that were never sent. One table needs one drain",
                found.taken,
                self.table.what,
            )

    def _tell_changed(self, found: Outcome, rows: int) -> None:
        if self.effects and found.changed == rows:
            self.log.warning(
                "all %d rows were changed after they were read; they stay and are sent again. If triggers or rules of"
                " the table change them instead, every run sends them again: %s",
                rows,
                "; ".join(self.effects),
            )
        else:
            self.log.info("%d rows were changed after they were read; they stay and are sent again", found.changed)

    def change(self, condition: Any) -> Any:
        """Return the statement that deletes or marks the rows that meet a condition."""
        table, marking = self.table.clause, self.table.marking
        if marking is None:
            return sa.delete(table).where(condition)
        kept: dict[str, Any] = {name: sa.column(name) for name in self.set_on_update if name != marking.column.name}
        return sa.update(table).where(condition, marking.open).values({marking.column.name: marking.done, **kept})

    def _by_version(self, some: Received, lease: Lease) -> Outcome:
        """Compare and change rows in one statement; if it found fewer rows, a second one looks for the others."""
        unchanged = self.table.database.unchanged(self.table.key, some.keys, some.versions)
        [answer, *open_] = lease.execute([self.change(unchanged), *self._open_again(some)])
        if answer.number == len(some):
            return self._proved(answer, open_)
        version = self.table.version
        names = [*(column.name for column in self.table.key), *([version.name] if version else [])]
        [found] = lease.execute([self._look([sa.column(name) for name in names], self._among(some.keys))])
        there = {tuple(row[:-2]): (int(row[-2]), row[-1]) for row in found.rows}
        return self._judged(some, there, answer.number)

    def _by_value(self, some: Received, lease: Lease) -> Outcome:
        """Lock and compare rows, then change the unchanged ones, in one transaction."""
        among, there = self._among(some.keys), dict[Key, tuple[int, Any]]()

        def change(answers: Sequence[Answer]) -> Any:
            bare = [row[:-1] for row in answers[0].rows]
            there.clear()
            self._fit(len(some), answers[0].rows)
            for row, now in zip(answers[0].rows, self.table.received(bare), strict=True):
                there[now.key] = (now.version, row[-1])
            same = [row.key for row in some if self._is_open(there, row)]
            if len(same) == len(some):
                return self.change(among)
            return self.change(self._among(same)) if same else None

        columns = self.rows.read_columns
        look = self._look(columns, among).with_for_update()
        _, answer, *open_ = lease.execute([look, change, *self._open_again(some)])
        return self._proved(answer, open_) if answer.number == len(some) else self._judged(some, there, answer.number)

    def _open_again(self, some: Received) -> list[Any]:
        """Return the statement that counts open rows after the change; only if a trigger may reset a mark."""
        marking = self.table.marking
        if marking is None or not self.effects:
            return []
        count: Any = sa.select(sa.func.count()).select_from(self.table.found.selectable)
        return [count.where(self._among(some.keys), marking.open)]

    @staticmethod
    def _proved(answer: Answer, open_: Sequence[Answer]) -> Outcome:
        """Return the outcome of rows that were all changed, though some may be open again."""
        kept = int(open_[0].rows[0][0]) if open_ else 0
        return Outcome(answer.number - kept, kept=kept)

    def _fit(self, rows: int, read: Sequence[tuple[Any, ...]]) -> None:
        """Set the number of the next rows so that they hold about as much as a page, judging by these."""
        held = sum(len(value) for row in read for value in row if isinstance(value, (str, bytes)))
        self._size = max(1, min(MOST_ROWS, rows * BATCH_BYTES // max(held, 1), rows * _MOST_GROWTH))

    def _look(self, columns: Sequence[Any], among: Any) -> Any:
        """Return the SELECT of columns and an open flag, of the rows that meet a condition."""
        marking, flag = self.table.marking, _ONE
        if marking is not None:
            flag = sa.case((marking.open, _ONE), else_=sa.literal_column("0"))
        return (
            sa.select(*columns, flag.label("legacy_events_open")).select_from(self.table.found.selectable).where(among)
        )

    def _among(self, keys: Sequence[Key]) -> Any:
        database, key = self.table.database, self.table.key
        bound = [tuple(map(database.bind, one, key)) for one in keys]
        return database.among([sa.column(column.name) for column in key], bound)

    @staticmethod
    def _is_open(there: dict[Key, tuple[int, Any]], row: ReceivedRow) -> bool:
        version, is_open = there.get(row.key, (None, 0))
        return version == row.version and str(is_open) == "1"

    def _judged(self, some: Received, there: dict[Key, tuple[int, Any]], done: int) -> Outcome:
        """Return the outcome of rows, of which we changed `done`.

        Args:
            some: the rows.
            there: version of each row that still exists, and whether it is open; by key. For locked rows the state
                before the change, else the state after it.
            done: how many were deleted or marked.
        """
        same = sum(self._is_open(there, row) for row in some)
        open_ = sum(str(is_open) == "1" for _, is_open in there.values())
        locked = self.table.version is None
        closed = len(some) - open_
        if locked:
            return Outcome(done, changed=open_ - same, taken=closed, kept=same - done)
        return Outcome(done, changed=open_ - same, taken=closed - done, kept=same)

    def _kept(self, count: int) -> SourceError:
        verb, what = ("DELETE", "deleted") if self.table.marking is None else ("UPDATE", "marked")
        known = f" On this table: {'; '.join(self.effects)}." if self.effects else ""
        error = SourceError(
            f"{count} published rows of {self.table.what} should have been {what}, but are still there unchanged,"
            f" though the database accepted the {verb} without an error: a row-level policy hides them from it, or a"
            f" trigger keeps them.{known} They are delivered, and every run would send them again, with equal ids:"
            " grant the drain's user what it needs"
        )
        error.retry_helps = False
        return error
