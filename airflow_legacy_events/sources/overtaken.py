"""Rows that changed while a replay sent them, read again by their keys."""

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
"""A row that differs at every look is still being written: the live stream sends its later versions."""

_KEYS = 1_000
"""Keys per statement: some databases limit the length of a list."""

Row: TypeAlias = tuple[Any, ...]


@dataclass
class Overtaken:
    """Finds rows of delivered batches that have changed since; see `core.ports.Source.overtaken`.

    A version before ours on the topic was committed before it was sent. We look only once ours is confirmed, so we see
    that version or a newer one. A version committed after the look is sent by the live stream after ours. Once a look
    finds a row as we sent it, no newer version of it can therefore lie before ours.

    Attributes:
        rows: of the replay, without conditions, so that a row is found even after its position changed.
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
        """Yield the changed rows in their current state until there are none; the next look checks those yielded."""
        sent = self._by_key(batch.shape.key, batch.rows)
        for look in range(LOOKS):
            sent = self._changed(sent) if look else self._changed_in_page(batch, sent)
            if not sent:
                return
            # A consumer may already have seen this version under its live id: a new id makes it count again.
            number = time.time_ns() // 1_000
            shape, rows = self._reader.rows.selection.shape, [*sent.values()]
            yield dataclasses.replace(batch, shape=shape, rows=rows, count=len(rows), op="r", counter=number)
        self.log.warning(
            "%d rows of %s were changed again before each of %d checks, while they were replayed beside the live"
            " stream. The live stream sends their new versions; only if they change no more may an older version be"
            " the last on the topic. Replay rows that change all the time to a separate topic",
            *(len(sent), self.rows.what, LOOKS),
        )

    def _changed_in_page(self, batch: Batch, sent: Mapping[Row, Row]) -> dict[Row, Row]:
        """Same as `_changed`, for a whole page: most of its rows are still in one range.

        If keys may not be unique, a row elsewhere may share one: then each key is looked up.
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
        # Rows with different columns from those just found would need another batch.
        return {**changed, **missing} if self._reader.rows is rows else self._changed(sent)

    def _changed(self, sent: Mapping[Row, Row]) -> dict[Row, Row]:
        """Return the changed rows, all with their current columns."""
        keys, changed, columns = [*sent], dict[Row, Row](), self._reader.rows
        for begin in range(0, len(keys), _KEYS):
            some = {one: sent[one] for one in keys[begin : begin + _KEYS]}
            now = self._now(some)
            if self._reader.rows is not columns:
                return self._changed(sent)
            changed |= {one: row for one, row in now.items() if _differ(row, some[one])}
        return changed

    def _now(self, wanted: Mapping[Row, Row]) -> dict[Row, Row]:
        """Return the current rows of these keys; a read may end early, and the next one returns the rest."""
        found, left = dict[Row, Row](), dict(wanted)
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
        """Return the rows with a unique key; among rows that share a key the newest is unknown."""
        keys = [tuple(row[at] for at in key) for row in rows]
        found = dict(zip(keys, rows, strict=True))
        if len(found) == len(rows):
            return found
        if not self._shared:
            self._shared = True
            self.log.warning(
                "rows of %s share values of the key %s, so the newest row of a key can't be determined: after a replay"
                " into the live stream's topic an older one may be the last message of its key. Name key_columns that"
                " identify a row, or replay to another topic",
                *(self.rows.what, ", ".join(self.rows.selection.shape.named(key))),
            )
        alone = Counter(keys)
        return {one: row for one, row in found.items() if alone[one] == 1}


def _differ(one: Row, other: Row) -> bool:
    return one != other and ascii(one) != ascii(other)  # NaN is not equal to itself
