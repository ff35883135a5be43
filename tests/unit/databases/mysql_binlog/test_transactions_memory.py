"""Memory that a large transaction takes: none that grows with it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import (
    BinlogPlace,
    Event,
    ReadTable,
    Row,
    RowsEvent,
    TableMap,
)
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.reader import BinlogReader
from tests.support.scripted_binlog import MARIADB, ScriptedForms, ScriptedLog, access_to
from tests.support.scripted_reading import START

BODY = bytes(2**14)
MOST_BYTES = 2**18


class Streamed:
    """Passes for a session that streams one transaction of many large events, which exist one at a time."""

    def __init__(self, log: ScriptedLog, statements: int) -> None:
        *self._head, self._map, self._rows, self._end = log.files[log.file]
        self._statements = statements

    def events(self, place: BinlogPlace) -> Iterator[Event]:
        at = 4
        for event in self._all():
            moved = event._replace(start=at, end=at + event.end - event.start)
            at = moved.end
            if moved.start >= place.position:
                yield moved

    def _all(self) -> Iterator[Event]:
        yield from self._head
        for _ in range(self._statements):
            yield self._map
            yield self._rows._replace(body=self._rows.body + BODY)
        yield self._end

    def close(self) -> None:
        """There is nothing to close."""


class OneRow:
    """Reads one row of an event, however large it is."""

    def images(self, event: RowsEvent) -> list[Row]:
        return [("1", "1")]


class FormsOfOneRow(ScriptedForms):
    """See `OneRow`."""

    def of(self, map_: TableMap, where: BinlogPlace) -> ReadTable:
        return super().of(map_, where)._replace(reader=OneRow())


def peak(statements: int) -> int:
    log = ScriptedLog(MARIADB)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.commit()
    *_, last = Streamed(log, statements).events(BinlogPlace(log.file, 4))
    assert last.kind == codes.XID
    forms = FormsOfOneRow(["orders"])
    access = access_to(log)._replace(dump=lambda: Streamed(log, statements))
    tables = list(forms.tables.values())
    reader = BinlogReader(access, forms, tables=tables, stored={"gtids": ""}, most_bytes=MOST_BYTES)
    found = 0
    tracemalloc.start()
    for chunk in reader.read(START, text_of(BinlogPlace(log.file, last.end)), 10):
        found += sum(len(part.rows) for part in chunk.parts)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == statements
    return most


def test_a_transaction_of_ten_times_the_size_takes_no_more_memory() -> None:
    assert peak(1000) < 1.1 * peak(100)
