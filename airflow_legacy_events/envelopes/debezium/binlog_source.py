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
        self._threads = stream.product == "mysql"  # the connector for MariaDB knows none
        self._database = f'"db":{quoted(stream.schema)}'
        self._table = f'"table":{quoted(stream.table)}'

    def blocks(self, shape: Shape, batch: Batch, columns: Sequence[Sequence[Any]]) -> list[str]:
        """Return the block of each row of a batch. Rows of one event share all but one number."""
        notes = batch.notes or LogNotes()
        if not shape.watermark:
            now = time.time_ns() // _SECOND * _SECOND
            head, tail = self._block(now, "true", None, notes.place or "")
            return [f"{head}0{tail}"] * batch.count
        counted, parts = Counted(shape, notes, columns), dict[tuple[str, str, str | None], tuple[str, str]]()
        moments = [None] * batch.count if shape.time is None else columns[shape.time]
        found = []
        for (name, _), (place, row), moment in zip(counted.marks, counted.wheres(), moments, strict=True):
            if (known := parts.get((name, place, moment))) is None:
                known = parts[name, place, moment] = self._change(notes.transactions.get(name), place, moment)
            found.append(f"{known[0]}{row}{known[1]}")
        return found

    def _change(self, one: LogTransaction | None, place: str, moment: str | None) -> tuple[str, str]:
        """Return the parts of the block of a change: with a GTID Debezium has the time of the commit to the digit."""
        if one is None or one.time is None or one.gtid is not None:
            return self._block(since_1970(moment), "false", one, place)
        return self._block(one.time * _SECOND, "false", one, place)

    def _block(self, nanoseconds: int, snapshot: str, one: LogTransaction | None, place: str) -> tuple[str, str]:
        """Return what precedes and what follows the number of the row in its event."""
        milli, micro, nano = times(nanoseconds)
        server, gtid, thread = (None, None, None) if one is None else (one.server_id, one.gtid, one.thread)
        if not self._threads:
            thread = None
        file, _, position = place.rpartition(":")
        named = NULL if gtid is None else quoted(gtid)
        head = (
            f'{self._head},{milli},"snapshot":"{snapshot}",{self._database},"sequence":null,{micro},{nano},'
            f'{self._table},"server_id":{server or 0},"gtid":{named},"file":{quoted(file)},'
            f'"pos":{int(position or 0) if file else 0},"row":'
        )
        return head, f',"thread":{NULL if thread is None else thread},"query":null}}'
