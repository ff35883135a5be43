"""Tidying after a drain: deletes published rows past their retention, and counts the backlog."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import PENDING_ROWS, Backlog
from airflow_legacy_events.core.ports import Answer, Lease
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.outbox.acknowledging import MOST_ROWS
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.place import Start

_BEGINNING = Start(())


@dataclass(frozen=True)
class Tidying:
    """Tidies up one outbox.

    Attributes:
        table: to tidy.
        retention: published rows of at least this age are deleted; None: none is.
        published: condition of the published rows; None: they are gone already.
        timezone: name of the zone of naive times that the application writes.
        stream: for messages.
        start: where the rows that are still to be published begin.
    """

    table: OutboxTable
    retention: dt.timedelta | None
    published: Any
    timezone: str
    stream: str
    log: logging.Logger
    start: Start = _BEGINNING

    def retain(self, lease: Lease, over: Callable[[], bool]) -> int:
        """Delete published rows past their retention, at most a thousand in a transaction; return how many.

        The row with the highest integer id stays: a database might reuse its id.

        Args:
            lease: of the stream's lock.
            over: whether the run's time is used up.

        Raises:
            SourceError: the rows can't be deleted; it names the GRANT if a right is missing.
        """
        if self.retention is None or self.published is None:
            return 0
        old = self._old(self.retention)
        deleted = 0
        while not over():
            keys = self.table.database.read(old)
            if not keys:
                break
            names: list[Any] = [sa.column(column.name) for column in self.table.key]
            among = self.table.database.among(names, self._bound(keys))
            answer = self._deleted(lease, among, self.published)
            deleted += answer.number
            if not answer.number:
                self.log.warning("published rows of %s can't be deleted for retention=", self.table.what)
                break
        if deleted:
            self.log.info("deleted %d published rows that are older than retention=%s", deleted, self.retention)
        return deleted

    def _deleted(self, lease: Lease, *conditions: Any) -> Answer:
        delete = sa.delete(self.table.clause)
        try:
            [answer] = lease.execute([delete.where(*conditions)])
        except SourceError:
            refused = self.table.database.refusal(delete.where(sa.literal_column("1") == 0))
            if refused is None:
                raise
            raise SourceError(
                f"published rows of {self.table.what} can't be deleted for retention=: {refused}"
            ) from None
        return answer

    def backlog(self) -> Backlog:
        """Return the current backlog."""
        rows = self.table.open_rows(timezone=self.timezone, stream=self.stream)
        count = rows.count(self.start, PENDING_ROWS)
        bytes_ = self.table.database.writes(self.table.written).bytes
        return Backlog(count, self._oldest(rows) if count else None, bytes_)

    def _bound(self, keys: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        database, key = self.table.database, self.table.key
        return [
            tuple(database.bind(database.text(value, column), column) for value, column in zip(one, key, strict=True))
            for one in keys
        ]

    def _old(self, retention: dt.timedelta) -> Any:
        marking, database = self.table.marking, self.table.database
        timed = marking is not None and marking.timed
        time = marking.column if marking is not None and timed else self.table.column("timestamp")
        assert time is not None  # noqa: S101  checked with the arguments
        one: Any = sa.column(time.name)
        if time.kind is Kind.INTEGER:
            until = one <= int((database.now() - retention).timestamp() * 1000)
        else:
            zone = "UTC" if timed else self.timezone
            until = database.ceiling(one, time, lag_seconds=retention.total_seconds(), timezone=zone).condition
        conditions = [self.published, until, *([self.table.condition] if self.table.condition is not None else [])]
        id_ = self.table.column("id")
        if id_ is not None and id_.kind is Kind.INTEGER:
            highest: Any = sa.select(sa.func.max(sa.column(id_.name))).select_from(self.table.found.selectable)
            conditions.append(sa.column(id_.name) < highest.scalar_subquery())
        keys: list[Any] = [sa.column(column.name) for column in self.table.key]
        query: Any = sa.select(*keys).select_from(self.table.found.selectable).where(*conditions)
        return query.order_by(one).limit(MOST_ROWS)

    def _oldest(self, rows: Any) -> float | None:
        """Return the age of the first open row in seconds, None if unknown."""
        time = self.table.column("timestamp")
        if time is None:
            return None
        page = rows.page(self.start, None, 1).rows
        value = page[0][self.table.selection.shape.roles["timestamp"]] if page else None
        moment = None if value is None else self._moment(value, time)
        return None if moment is None else max(0.0, round((self.table.database.now() - moment).total_seconds(), 3))

    def _moment(self, value: Any, column: Column) -> dt.datetime | None:
        try:
            if column.kind is Kind.INTEGER:
                return dt.datetime.fromtimestamp(int(value) / 1000, dt.UTC)
            if column.kind not in TEMPORAL:
                return None
            found = dt.datetime.fromisoformat(self.table.database.text(value, column))
        except (SourceError, ValueError, OverflowError, OSError):  # SQLite stores any text there
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=zone_of(self.timezone))
