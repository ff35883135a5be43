"""Members of a message that precede its row: when it was committed, and where in the log it stands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Batch, LogNotes, LogTransaction
from airflow_legacy_events.envelopes.data_code import NULL
from airflow_legacy_events.envelopes.debezium.source import since_1970
from airflow_legacy_events.envelopes.log_events import Counted, Mark

_SECOND = 1_000_000_000


def loaded(count: int) -> list[str]:
    """Return the members of rows of a snapshot."""
    return [f'"ts":{time.time_ns() // _SECOND}'] * count


class Heads:
    """Makes the members of the changes of one batch.

    Args:
        shape: of the rows.
        batch: of the rows.
        columns: of the rows.
    """

    def __init__(self, shape: Shape, batch: Batch, columns: Sequence[Sequence[Any]]) -> None:
        self._notes = batch.notes or LogNotes()
        self._counted = Counted(shape, self._notes, columns)
        self._times = [None] * batch.count if shape.time is None else columns[shape.time]
        self._places = {mark: at for at, mark in enumerate(self._counted.marks)} if self._notes.moved else {}

    def partners(self) -> dict[int, int]:
        """Return, by the place of the new row of each UPDATE of the key, that of its old row, where both are here."""
        found = {}
        for mark, at in self._places.items():
            other = self._counted.partner(mark)
            if other is not None and other < mark and other in self._places:
                found[at] = self._places[other]
        return found

    def texts(self) -> list[str]:
        """Return the members of each row."""
        wheres = self._counted.wheres()
        return [
            self._text(mark, moment, place)
            for mark, moment, (place, _) in zip(self._counted.marks, self._times, wheres, strict=True)
        ]

    def _text(self, mark: Mark, moment: str | None, place: str) -> str:
        one = self._notes.transactions.get(mark[0]) or LogTransaction(mark[0])
        seconds = since_1970(moment) // _SECOND if one.time is None else one.time
        last = one.changes is not None and mark[1] >= one.changes
        offset = '"commit":true' if last else f'"xoffset":{self._counted.in_transaction(mark)}'
        members = [
            f'"ts":{seconds}',
            *([] if one.number is None else [f'"xid":{one.number}']),
            offset,
            f'"position":{quoted(place)}',
            f'"gtid":{NULL if one.gtid is None else quoted(one.gtid)}',
            *([] if one.server_id is None else [f'"server_id":{one.server_id}']),
            *([] if one.thread is None else [f'"thread_id":{one.thread}']),
        ]
        return ",".join(members)
