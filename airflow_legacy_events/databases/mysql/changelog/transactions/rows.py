"""From images of rows to changes: what a rows event says of each row of its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.model.log import LogForm
from airflow_legacy_events.databases.mysql.changelog.model import ReadTable, Row, RowReader, RowsEvent
from airflow_legacy_events.databases.mysql.changelog.transactions.failures import NO_KEY, too_large

_NEVER = ("2038-01-19 03:14:07.999999", "2106-02-07 06:28:15.999999", "18446744073709551615")
"""Where a current row of a system-versioned table ends: the highest time, or transaction number."""

Change: TypeAlias = tuple[str, Row | None, Row | None]
"""`c`, `u` or `d`, the row before and the row after it."""


class Rows(NamedTuple):
    """Changes of rows.

    Attributes:
        form: of the rows.
        ops: `c`, `u` or `d` of each; an UPDATE of the key is a `d` and a `c`.
        rows: by the columns of the form; of a `d` the old row.
        before: old rows of `u` and `d`; None for a `c`, and as a whole if none has one.
        moved: of both changes that an UPDATE of the key is, by their place in `rows`, the row of the other one.
        size: in the log, in bytes.
    """

    form: LogForm
    ops: list[str]
    rows: list[Row]
    before: Sequence[Row | None] | None
    moved: dict[int, Row]
    size: int


class Unsent(NamedTuple):
    """A change that can't be sent.

    Attributes:
        why: in words, without values.
        op: of the change.
    """

    why: str
    op: str


class Changes:
    """Turns the images of one table into changes.

    Args:
        table: of which they are.
        most: raw bytes of a row.
    """

    def __init__(self, table: ReadTable, most: int) -> None:
        self._form, self._end, self._most = table.form, table.row_end, most
        self._places = tuple(table.key)
        self._key = itemgetter(*table.key) if table.key else _nothing
        self._nulls = [place for place in table.key if table.form.columns[place].nullable]

    def of_event(self, reader: RowReader, event: RowsEvent, *, before: bool) -> Iterable[Rows | Unsent]:
        """Return the changes of an event in their order.

        Args:
            reader: of its images.
            event: of the table.
            before: whether old rows are wanted. Else only their keys are read, as long as none changed.

        Raises:
            ValueError: see `RowReader.images`.
            UnreadableValueError: likewise.
        """
        size = len(event.body)
        if event.op == "u" and not before and self._is_simple(size):
            images = reader.images(event, self._places)
            if [*map(self._key, images[::2])] == [*map(self._key, images[1::2])]:
                new = images[1::2]
                return (Rows(self._form, ["u"] * len(new), new, None, {}, size),)
        return self.of(event.op, reader.images(event), size)

    def _is_simple(self, size: int) -> bool:
        """Whether no row of an event of this size needs to be judged."""
        return self._end is None and not self._nulls and size <= self._most

    def of(self, op: str, images: list[Row], size: int) -> Iterator[Rows | Unsent]:
        """Yield the changes of an event in their order.

        Args:
            op: `c`, `u` or `d`.
            images: of its rows; of an UPDATE, old and new rows in turn.
            size: of the event, in bytes.
        """
        if self._is_simple(size):
            yield self._all(op, images, size)
            return
        yield from self._judged(_changes(op, images) if self._end is None else self._current(op, images), size)

    def _all(self, op: str, images: list[Row], size: int) -> Rows:
        if op == "c":
            return Rows(self._form, ["c"] * len(images), images, None, {}, size)
        if op == "d":
            return Rows(self._form, ["d"] * len(images), images, images, {}, size)
        old, new = images[::2], images[1::2]
        if [*map(self._key, old)] == [*map(self._key, new)]:
            return Rows(self._form, ["u"] * len(new), new, old, {}, size)
        return self._listed(zip("u" * len(new), old, new, strict=True), size)

    def _listed(self, changes: Iterable[Change], size: int) -> Rows:
        ops: list[str] = []
        rows: list[Row] = []
        before: list[Row | None] = []
        moved: dict[int, Row] = {}
        for op, old, new in changes:
            if old is not None and new is not None and self._key(old) != self._key(new):
                moved[len(rows)], moved[len(rows) + 1] = new, old
                ops += ("d", "c")
                rows += (old, new)
                before += (old, None)
                continue
            ops.append(op)
            row = old if new is None else new
            assert row is not None  # noqa: S101
            rows.append(row)
            before.append(old)
        return Rows(self._form, ops, rows, before, moved, size)

    def _judged(self, changes: Iterable[Change], size: int) -> Iterator[Rows | Unsent]:
        """Yield the changes, with those that can't be sent between them."""
        run: list[Change] = []
        for change in changes:
            why = self._fault(change, large=size > self._most)
            if why is None:
                run.append(change)
                continue
            if run:
                yield self._listed(run, size)
            run, size = [], 0
            yield Unsent(why, change[0])
        if run:
            yield self._listed(run, size)

    def _fault(self, change: Change, *, large: bool) -> str | None:
        for row in change[1:]:
            if row is None:
                continue
            if any(row[place] is None for place in self._nulls):
                return NO_KEY
            if large and (size := _size(row)) > self._most:
                return too_large(size, self._most)
        return None

    def _current(self, op: str, images: list[Row]) -> Iterator[Change]:
        """Yield the changes of the current rows of a system-versioned table; its history is no change."""
        for kind, old, new in _changes(op, images):
            old_, new_ = self._without_end(old), self._without_end(new)
            if old_ is not None or new_ is not None:
                yield "c" if old_ is None else "d" if new_ is None else kind, old_, new_

    def _without_end(self, row: Row | None) -> Row | None:
        """Return the columns of a current row, None for one of the history."""
        assert self._end is not None  # noqa: S101
        if row is None or not str(row[self._end]).startswith(_NEVER):
            return None
        return row[: len(self._form.columns)]


def _changes(op: str, images: list[Row]) -> Iterator[Change]:
    if op == "u":
        yield from zip("u" * (len(images) // 2), images[::2], images[1::2], strict=True)
    else:
        yield from (("c", None, row) if op == "c" else ("d", row, None) for row in images)


def _size(row: Row) -> int:
    return sum(len(value) for value in row if isinstance(value, (str, bytes)))


_nothing: Callable[[Row], Any] = itemgetter(slice(0, 0))
