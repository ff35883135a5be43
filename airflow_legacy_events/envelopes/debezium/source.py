"""The block `source`: where a change comes from, as the connector for PostgreSQL writes it.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events import __version__
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import HIDDEN, Batch, LogNotes, Stream
from airflow_legacy_events.envelopes.data_code import NULL
from airflow_legacy_events.envelopes.debezium.times import micros

_NAMES = tuple(one.name for one in HIDDEN)
_PLACE, _TIME = _NAMES[0], _NAMES[2]
_XIDS = 2**32
"""Numbers of transactions before they begin again; Debezium's have 32 bits, as in the log."""


def times(nanoseconds: int) -> tuple[str, str, str]:
    """Return the members `ts_ms`, `ts_us` and `ts_ns` of a time since 1970-01-01 UTC."""
    micro = nanoseconds // 1_000
    return f'"ts_ms":{micro // 1_000}', f'"ts_us":{micro}', f'"ts_ns":{nanoseconds}'


def number_of(place: str) -> int:
    """Return an LSN as a number.

    Raises:
        EnvelopeError: the place is no LSN.
    """
    high, _, low = place.partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        raise EnvelopeError(
            f"DebeziumEnvelope is for the log of PostgreSQL; use envelope='cloudevents' here. Found the place {place!r}"
        ) from None


class Source:
    """Writes the block of one table.

    Args:
        stream: names the table.
        name: logical name of the server.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self._head = f'{{"version":{quoted(__version__)},"connector":"postgresql","name":{quoted(name)}'
        self._database = f'"db":{quoted(stream.database)}'
        self._table = f'"schema":{quoted(stream.schema)},"table":{quoted(stream.table)}'

    def blocks(self, shape: Shape, batch: Batch, columns: Sequence[Sequence[Any]]) -> list[str]:
        """Return the block of each row of a batch. Rows of one transaction share it."""
        notes = batch.notes or LogNotes()
        names = [column.name for column in shape.columns]
        if _PLACE not in names:
            nanoseconds = time.time_ns()
            return [self._block(notes.place, nanoseconds, None, "true")] * batch.count
        places, moments = columns[names.index(_PLACE)], columns[names.index(_TIME)]
        found = dict[tuple[str, str | None], str]()
        for place, moment in dict.fromkeys(zip(places, moments, strict=True)):
            one = notes.transactions.get(place)
            xid = None if one is None or one.number is None else one.number % _XIDS
            found[place, moment] = self._block(place, since_1970(moment), xid, "false")
        return [found[one] for one in zip(places, moments, strict=True)]

    def _block(self, place: str | None, nanoseconds: int, xid: int | None, snapshot: str) -> str:
        lsn = None if place is None else number_of(place)
        milli, micro, nano = times(nanoseconds)
        sequence = NULL if lsn is None else quoted(f'[null,"{lsn}"]')
        transaction = f'"txId":{_or_null(xid)},"lsn":{_or_null(lsn)},"xmin":null,"origin":null,"origin_lsn":null'
        return (
            f'{self._head},{milli},"snapshot":"{snapshot}",{self._database},"sequence":{sequence},{micro},{nano},'
            f"{self._table},{transaction}}}"
        )


def _or_null(number: int | None) -> str:
    return NULL if number is None else str(number)


def since_1970(moment: str | None) -> int:
    """Return nanoseconds of a commit time, which the log has in UTC; of now if it has none."""
    return time.time_ns() if moment is None else micros(moment.removesuffix("+00")) * 1_000
