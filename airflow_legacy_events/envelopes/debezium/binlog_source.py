"""The block `source`: where a change comes from, as the connectors for MariaDB and MySQL write it.

https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-create-events
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events import __version__
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Batch, LogNotes, LogTransaction, Stream
from airflow_legacy_events.envelopes.data_code import NULL
from airflow_legacy_events.envelopes.debezium.source import since_1970, times
from airflow_legacy_events.envelopes.log_events import Counted

CONNECTORS = ("mariadb", "mysql")
_SECOND = 1_000_000_000


class BinlogSource:
    """Writes the block of one table.

    Args:
        stream: names the table, and the product, which is the name of the connector.
        name: logical name of the server.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self._head = f'{{"version":{quoted(__version__)},"connector":{quoted(stream.product)},"name":{quoted(name)}'
        self._database = f'"db":{quoted(stream.schema)}'
        self._table = f'"table":{quoted(stream.table)}'

    def blocks(self, shape: Shape, batch: Batch, columns: Sequence[Sequence[Any]]) -> list[str]:
        """Return the block of each row of a batch."""
        notes = batch.notes or LogNotes()
        if not shape.watermark:
            now = time.time_ns() // _SECOND * _SECOND
            return [self._block(now, "true", _at(0, None, notes.place or "", 0, None))] * batch.count
        counted = Counted(shape, notes, columns)
        moments = [None] * batch.count if shape.time is None else columns[shape.time]
        return [
            self._change(notes.transactions.get(mark[0]), counted.place(mark), counted.in_event(mark), moment)
            for mark, moment in zip(counted.marks, moments, strict=True)
        ]

    def _change(self, one: LogTransaction | None, place: str, row: int, moment: str | None) -> str:
        if one is None:
            return self._block(since_1970(moment), "false", _at(0, None, place, row, None))
        nanoseconds = since_1970(moment) if one.time is None else one.time * _SECOND
        return self._block(nanoseconds, "false", _at(one.server_id or 0, one.gtid, place, row, one.thread))

    def _block(self, nanoseconds: int, snapshot: str, where: str) -> str:
        milli, micro, nano = times(nanoseconds)
        return (
            f'{self._head},{milli},"snapshot":"{snapshot}",{self._database},"sequence":null,{micro},{nano},'
            f'{self._table},{where},"query":null}}'
        )


def _at(server: int, gtid: str | None, place: str, row: int, thread: int | None) -> str:
    """Return the members that say where in the log a change is."""
    file, _, position = place.rpartition(":")
    named = NULL if gtid is None else quoted(gtid)
    return (
        f'"server_id":{server},"gtid":{named},"file":{quoted(file)},"pos":{int(position or 0) if file else 0},'
        f'"row":{row},"thread":{NULL if thread is None else thread}'
    )
