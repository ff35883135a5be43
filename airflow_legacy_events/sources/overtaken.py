"""Rows that have changed while a replay sent them, read again by their keys."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from airflow_legacy_events.core.model import Batch
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.rows import Rows

LOOKS = 30
"""A row that differs with every look is still being written: the live stream sends what it becomes."""

_KEYS = 1_000
"""Keys of one statement: some databases take no longer list."""

Row: TypeAlias = tuple[Any, ...]


@dataclass
class Overtaken:
    """Looks at what became of the rows of delivered batches; see `core.ports.Source.overtaken`.

    A version that lies before ours on the topic was committed before it was sent, and we look once ours is confirmed,
    so we see it, or a newer one. What commits after the look is sent by the live stream after it, behind ours. So once
    a look finds a row as we sent it, no newer version of it lies before ours.

    Attributes:
        rows: that are replayed. A row is looked for wherever it lies by now, so they have no conditions.
        turn: not held while a page is read; see `RepeatRun`.
        log: of the task.
    """

    rows: Rows
    turn: threading.Lock
    log: logging.Logger
    _shared: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._reader = Reader(self.rows)

    def of(self, batch: Batch) -> Iterator[Batch]:
        """Yield the rows that have changed, as they are now, until none has; what is yielded is looked at next."""
        sent = self._by_key(batch.shape.key, batch.rows)
        for look in range(LOOKS):
            sent = self._changed(sent) if look else self._changed_in_page(batch, sent)
            if not sent:
                return
            # A consumer may have passed this version by its live id: one of its own brings it back.
            number = time.time_ns() // 1_000
            shape, rows = self._reader.rows.selection.shape, [*sent.values()]
            yield dataclasses.replace(batch, shape=shape, rows=rows, count=len(rows), op="r", counter=number)
        self.log.warning(
            "%d rows of %s were changed again before each of %d looks, while they were replayed beside the live stream."
            " It sends what they become; only if they rest from now on an older version may lie last on the topic."
            " Replay rows that never rest to a topic of their own",
            *(len(sent), self.rows.what, LOOKS),
        )

    def _changed_in_page(self, batch: Batch, sent: Mapping[Row, Row]) -> dict[Row, Row]:
        """Return the same as `_changed`, of a whole page: most of its rows lie where they lay, in one range.

        Where rows may share a key, a row elsewhere may too: then each key is looked for.
        """
        rows = self._reader.rows
        if batch.shape is not rows.selection.shape or not rows.selection.keyed:
            return self._changed(sent)
        with self.turn:
            there = self._reader.between(rows.values(batch.rows[0]), rows.values(batch.rows[-1]), len(batch.rows))
        if self._reader.rows is not rows:
            return self._changed(sent)
        now = self._by_key(batch.shape.key, there)
        changed = {one: row for one, row in now.items() if one in sent and _differ(row, sent[one])}
        missing = self._changed({one: row for one, row in sent.items() if one not in now})
        # Rows with other columns than those that were just found would need another batch.
        return {**changed, **missing} if self._reader.rows is rows else self._changed(sent)

    def _changed(self, sent: Mapping[Row, Row]) -> dict[Row, Row]:
        """Return the rows that are others by now, all of them with the columns that they have by now."""
        keys, changed, columns = [*sent], dict[Row, Row](), self._reader.rows
        for begin in range(0, len(keys), _KEYS):
            some = {one: sent[one] for one in keys[begin : begin + _KEYS]}
            now = self._now(some)
            if self._reader.rows is not columns:
                return self._changed(sent)
            changed |= {one: row for one, row in now.items() if _differ(row, some[one])}
        return changed

    def _now(self, asked: Mapping[Row, Row]) -> dict[Row, Row]:
        """Return the rows of these keys as they are; a read may be cut short, and the next one gives what it lacks."""
        found, left = dict[Row, Row](), dict(asked)
        while left:
            with self.turn:
                rows = self._reader.of_keys([*left], 2 * len(left))
            key = self._reader.rows.selection.shape.key
            there = {tuple(row[at] for at in key) for row in rows} & left.keys()
            found |= {one: row for one, row in self._by_key(key, rows).items() if one in there}
            left = {one: row for one, row in left.items() if one not in there}
            if not there or self._shared:
                break
        return found

    def _by_key(self, key: Sequence[int], rows: Sequence[Row]) -> dict[Row, Row]:
        """Return the rows that have a key of their own; of others nothing tells which is the newest."""
        keys = [tuple(row[at] for at in key) for row in rows]
        found = dict(zip(keys, rows, strict=True))
        if len(found) == len(rows):
            return found
        if not self._shared:
            self._shared = True
            self.log.warning(
                "rows of %s share values of the key %s, so which one is the newest of its key can't be told: behind a"
                " replay into the live stream's topic an older one may be the last message of its key. Name key_columns"
                " that identify a row, or replay to another topic",
                *(self.rows.what, ", ".join(self.rows.selection.shape.named(key))),
            )
        alone = Counter(keys)
        return {one: row for one, row in found.items() if alone[one] == 1}


def _differ(one: Row, other: Row) -> bool:
    return one != other and ascii(one) != ascii(other)  # NaN is not equal to itself
