"""A stream over the binlog of a database, read without sending anything: what each run would deliver."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model.log import LogChunk, LogGap, LogPosition, LogRows, LogTruncate
from airflow_legacy_events.core.ports import LogOptions, LogTable
from airflow_legacy_events.databases.mysql import MysqlDatabase
from tests.support.databases import fresh_database


class BinlogStream:
    """Runs over tables of a database; what a run ended with is what the next one begins with.

    Args:
        server: of the database.
        database: its name.
        tables: names of those to read, which have the key `id`.
    """

    def __init__(self, server: Any, database: str, tables: Sequence[str] = ("orders",)) -> None:
        self.server, self.database, self._tables = server, database, tables
        self.position: LogPosition | None = None
        self.facts: dict[str, Any] = {}

    def execute(self, *statements: str) -> None:
        """Run statements in one session."""
        self.server.execute(";\n".join(statements), self.database)

    def begin(self) -> None:
        """Begin the stream at the end of the log."""
        with self._log() as (log, entries):
            self.position = log.begin(entries)
            self.facts = dict(log.facts())

    def chunks(self, rows: int = 10_000, most: int | None = None) -> Iterator[LogChunk]:
        """Yield what one run reads; each chunk is saved before the next one.

        Args:
            rows: of a chunk.
            most: chunks after which the run is killed.
        """
        with self._log() as (log, _):
            assert self.position is not None
            for number, chunk in enumerate(log.read(self.position, log.end(), rows), start=1):
                yield chunk
                self.position = LogPosition(*json.loads(json.dumps(chunk.end)))
                self.facts |= json.loads(json.dumps(dict(chunk.facts)))
                if number == most:
                    return

    def changes(self, rows: int = 10_000, most: int | None = None) -> list[tuple[Any, ...]]:
        """Return the changes of one run: op and values; of what is no row, its kind and words."""
        return [one for chunk in self.chunks(rows, most) for one in flat(chunk)]

    def counted(self, rows: int = 10_000) -> Counter[str]:
        """Return how many changes of each op one run reads, for those that are many."""
        found: Counter[str] = Counter()
        for chunk in self.chunks(rows):
            found.update(one[0] for one in flat(chunk))
        return found

    @contextmanager
    def _log(self) -> Iterator[tuple[Any, list[LogTable]]]:
        database = MysqlDatabase(
            sa.make_url(self.server.url(self.database)), conn_id="legacy", statement_timeout_seconds=60
        )
        log = database.change_log(LogOptions("legacy.dag.task@log", "dag"))
        try:
            names = log.tables([f"{self.database}.{one}" for one in self._tables])
            entries = []
            for name in names:
                written = ".".join(map(database.quoted, name))
                entries.append(LogTable(name, database.reflect(written, None), ("id",), written))
            log.check(entries)
            log.guard(self.facts or None, self.position)
            yield log, entries
        finally:
            log.close()
            database.close()


def flat(chunk: LogChunk) -> list[tuple[Any, ...]]:
    """Return the changes of a chunk: op and values; of a gap or truncation, its kind and words."""
    found: list[tuple[Any, ...]] = []
    for part in chunk.parts:
        if isinstance(part, LogRows):
            width = len(part.form.columns)
            found += [(op, *row[:width]) for op, row in zip(part.ops, part.rows, strict=True)]
        elif isinstance(part, LogTruncate):
            found.append(("t",))
        elif isinstance(part, LogGap):
            found.append(("lost" if part.lost else "gap", part.why))
    return found


@contextmanager
def binlog_stream(server: Any, *statements: str, tables: Sequence[str] = ("orders",)) -> Iterator[BinlogStream]:
    """Yield a stream that has begun, over a database of its own with a table `orders`, gone afterwards."""
    with fresh_database(server) as database:
        stream = BinlogStream(server, database.name, tables)
        stream.execute("CREATE TABLE orders (id INT PRIMARY KEY, v INT) ENGINE=InnoDB", *statements)
        stream.begin()
        yield stream
