"""Changes of one relation: rows with the values that the log has of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.log import LogForm
from airflow_legacy_events.databases.postgres.changelog.pgoutput import KIND, NEW_ROW, OLD_ROW, TUPLE
from airflow_legacy_events.databases.postgres.changelog.tuples import Tuples

Row: TypeAlias = tuple[Any, ...]

_BEHIND_OLD = 3  # its kind, and the count of columns


class UntoldError(Exception):
    """The log has a change, but not what its events need.

    Attributes:
        why: in words, without values.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Updated(NamedTuple):
    """An UPDATE.

    Attributes:
        new: the new row with its hidden values.
        old: the old row as far as the log has it; None if its key is that of the new row, and the log has no more.
        moved: whether the message key changed.
    """

    new: Row
    old: Row | None
    moved: bool


class Changes:
    """Reads the changes of one relation.

    Args:
        form: of its rows.
        tuples: their decoder.
        key: names of the message key's columns; empty if it has none.
        full: whether the log has old rows as a whole.
        leaf: whether it is a partition.

    Attributes:
        form: of its rows.
        leaf: whether it is a partition.
    """

    def __init__(self, form: LogForm, tuples: Tuples, key: Sequence[str], *, full: bool, leaf: bool) -> None:
        self.form, self.leaf, self._tuples, self._full = form, leaf, tuples, full
        at = {column.name: place for place, column in enumerate(form.columns)}
        self._key = tuple(at[name] for name in key if name in at)
        self._held = [column.name in form.identity for column in form.columns]
        self._without = _missing("of the columns that the log has there", [name for name in key if name not in at])
        outside = [name for name in key if name not in form.identity]
        self._unheld = self._without or _missing("of the replica identity that it had there", outside)
        self._may_be_null = any(form.columns[place].nullable for place in self._key)

    def inserted(self, message: bytes, place: str, number: int, time: str) -> Row:
        """Return the row of an INSERT, with its hidden values.

        Raises:
            UntoldError: it has no key.
            UnicodeDecodeError: a text is not UTF-8.
        """
        if self._without is not None:
            raise UntoldError(self._without)
        row = self._tuples.row(message[TUPLE:], place, number, time)
        if self._may_be_null:
            self._check(row)
        return row

    @property
    def plain(self) -> bool:
        """Whether every INSERT has its key, so that `rows` may read several at once."""
        return self._without is None and not self._may_be_null

    def rows(self, messages: Sequence[bytes], place: str, number: int, time: str) -> list[Row]:
        """Return the rows of INSERTs, numbered from `number`, up to one that is not UTF-8; see `plain`."""
        return self._tuples.rows(messages, TUPLE, place, number, time)

    def updated(self, message: bytes, place: str, number: int, time: str) -> Updated:
        """Return the rows of an UPDATE.

        Raises:
            UntoldError: the log has not the key of the old row.
            UnicodeDecodeError: a text is not UTF-8.
        """
        if self._unheld is not None:
            raise UntoldError(self._unheld)
        body, kind = message[TUPLE:], message[KIND]
        if kind == NEW_ROW:
            new, old, moved = self._tuples.row(body, place, number, time), None, False
        else:
            values, at = self._tuples.values(body, 0)
            old = self._known(values, kind)
            new = self._tuples.new(body, at + _BEHIND_OLD, place, number, time)
            if new[-1] is not None:
                new = self._filled(new, old)
            moved = any(old[key] != new[key] for key in self._key)
        if self._may_be_null:
            self._check(new)
            self._check(old or new)
        return Updated(new, old, moved)

    def deleted(self, message: bytes) -> Row:
        """Return the old row of a DELETE as far as the log has it, without hidden values.

        Raises:
            UntoldError: the log has not its key.
            UnicodeDecodeError: a text is not UTF-8.
        """
        if self._unheld is not None:
            raise UntoldError(self._unheld)
        values, _ = self._tuples.values(message[TUPLE:], 0)
        old = self._known(values, message[KIND])
        if self._may_be_null:
            self._check(old)
        return old

    def _known(self, values: Row, kind: int) -> Row:
        """Leave out what is NULL in the log only because the log does not have it."""
        return values if kind == OLD_ROW and self._full else self.key_of(values)

    def key_of(self, values: Row) -> Row:
        """Return a row with the values of the replica identity alone."""
        return tuple([value if held else ABSENT for value, held in zip(values, self._held, strict=False)])

    def _filled(self, new: Row, old: Row) -> Row:
        """Take unchanged values that were stored out of line from the old row."""
        count = len(old)
        values = [old[at] if value is ABSENT else value for at, value in enumerate(new[:count])]
        return (*values, *new[count:-1], self._tuples.unchanged(values))

    def _check(self, row: Row) -> None:
        if any(row[at] is None for at in self._key):
            raise UntoldError("its key is NULL")


def _missing(where: str, names: Sequence[str]) -> str | None:
    listed = ", ".join(map(repr, names))
    return f"key column {listed} is none {where}" if names else None
