"""Keyset pages of one selection in the order of its position, the highest position, and rows without a position."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Ceiling
from airflow_legacy_events.core.ports import Database, TableState
from airflow_legacy_events.sources.ceiling import find_ceiling
from airflow_legacy_events.sources.place import Found, Start, Values
from airflow_legacy_events.sources.renewing import Renewing
from airflow_legacy_events.sources.selection import Selection
from airflow_legacy_events.sources.unplaced import without_place

BATCH_BYTES = 8 * 2**20
"""A page ends early at about this much raw data, so memory does not grow with a row's width."""
_TELLING_ROWS = 100
_NOTHING_KNOWN = TableState()


def _themselves(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Rows:
    """Rows of one query source, read in the order of their position.

    Attributes:
        database: where the rows are.
        what: the table or query, for messages.
        selectable: the same as a FROM element.
        selection: its columns.
        timezone: name of the zone of naive times.
        where: conditions that all rows meet.
        small: whether every value is small enough to be read without a size check.
        stream: name of the stream, for messages.
        constant: columns that are equal in all these rows, for the choice of an index.
        null_remedy: remedy for a row without a position in the order; None: the one for a query.
        table: as the user wrote it; None for a query.
        state: its catalog facts.
        renewal: looks up the columns again if they change while pages are read; None: then the run fails.
        derived: makes these rows from all rows of the source after its columns were looked up again.
    """

    database: Database
    what: str
    selectable: Any
    selection: Selection
    timezone: str
    where: tuple[Any, ...] = ()
    small: bool = False
    stream: str = ""
    constant: tuple[str, ...] = ()
    null_remedy: str | None = None
    table: str | None = None
    state: TableState = _NOTHING_KNOWN
    renewal: Renewing[Rows] | None = None
    derived: Callable[[Rows], Rows] = _themselves

    def page(self, after: Start, until: Values | None, limit: int, query: Any = None) -> Found:
        """Return the next rows above `after`, at most `limit`; empty if there are none up to `until`.

        `query` is the result of the method of that name for the same arguments, if it was called before.
        """
        return self._first_found(after, lambda start: self.query(start, until, limit), query)

    def query(self, after: Start, until: Values | None, limit: int) -> Any:
        """Return the first query of `page`, for prefetching."""
        return self._page_query(after, limit, *(() if until is None else (self.up_to(until),)))

    def page_below(self, after: Start, high: str, limit: int) -> Found:
        """Return the next rows above `after` whose first position column lies below `high`, at most `limit`."""
        self.database.timed(self.selection.columns[0])
        return self._first_found(after, lambda start: self._page_query(start, limit, self.below(high)))

    def next_start(self, page: list[tuple[Any, ...]]) -> Start:
        """Return where the page after this one begins.

        Leading values shared by a whole page are probably shared by the next rows too. Some databases seek an index
        only by the first column of a position, and would scan all rows with equal leading values for every page. There
        these values are compared for equality. A few rows are not enough to predict the next.
        """
        last = Start(self.values(page[-1]))
        if self.database.enters_by_position or len(page) < _TELLING_ROWS:
            return last
        same = (page[0][at] == page[-1][at] for at in self.selection.position[:-1])
        return last._replace(tied=sum(1 for _ in itertools.takewhile(bool, same)))

    def _page_query(self, after: Start, limit: int, *bounds: Any) -> Any:
        return self._select_rows(after).where(*bounds).order_by(*self._position).limit(limit)

    def _first_found(self, after: Start, query_of: Callable[[Start], Any], query: Any = None) -> Found:
        """Return the rows of `query`, or of `query_of(after)` if it is None; without rows, retry with fewer ties."""
        rows = self.database.read(query_of(after) if query is None else query, BATCH_BYTES)
        if rows or not after.tied:
            return Found(rows, after)
        return self._first_found(after._replace(tied=after.tied - 1), query_of)

    def below(self, *high: str) -> Any:
        """Return the condition that the first position columns lie below the texts `high`."""
        return sa.not_(self.database.beyond(self._position[: len(high)], self._bound(high), inclusive=True))

    def up_to(self, values: Values) -> Any:
        """Return the condition that a row's position is at or below `values`."""
        return self.database.until(self._position, self._bound(values))

    def ceiling(self, lag_seconds: float | None) -> Ceiling:
        """Return the current upper bound of a run; see `find_ceiling`."""
        return find_ceiling(self.database, self.selection.columns[0], lag_seconds=lag_seconds, timezone=self.timezone)

    def highest(self, after: Start, ceiling: Any = None) -> Values | None:
        """Return the highest position above `after` among the rows that meet the condition `ceiling`, if any."""
        rows = self.database.read(self._highest(after) if ceiling is None else self._highest(after).where(ceiling))
        return self.texts(rows[0]) if rows else None

    def topmost(self, after: Start, ceiling: Any, limit: int) -> list[tuple[tuple[Any, ...], bool]]:
        """Return the highest positions above `after` from the top, as read, and whether each meets `ceiling`.

        At most `limit`. Those that don't meet it come first.
        """
        meets = sa.case((ceiling, sa.literal_column("1")), else_=sa.literal_column("0"))
        query = self._highest(after).add_columns(meets.label("legacy_events_below"))
        return [(row[:-1], str(row[-1]) == "1") for row in self.database.read(query.limit(limit))]

    def _highest(self, after: Start) -> Any:
        columns = self.selection.columns
        query = self._select(self._position, after).execution_options(expected=columns)
        query = query.where(*(sa.column(column.name).is_not(None) for column in columns if column.nullable))
        return query.order_by(*(column.desc() for column in self._position)).limit(1)

    def newest(self, until: Values | None, limit: int) -> list[tuple[Any, ...]]:
        """Return at most `limit` rows up to `until` from the highest position down; None: from the very top."""
        query = self._select_rows(Start(())).order_by(*(one.desc() for one in self._position))
        if until is not None:
            query = query.where(self.up_to(until))
        return self.database.read(query.limit(limit), BATCH_BYTES)

    def every(self) -> Any:
        """Return the query for all rows, in any order."""
        return self._select_rows(Start(()))

    def at(self, values: Values) -> Any:
        """Return the query for the rows at the position `values`, in any order."""
        return self.every().where(*map(self.database.equal, self._position, self._bound(values)))

    def key_is(self, values: Values) -> Any:
        """Return the condition that a row is the one at the position `values`, wherever it is now."""
        shape, texts = self.selection.shape, dict(zip(self.selection.position, values, strict=True))
        columns = [shape.columns[at] for at in self.selection.identity or shape.key]
        bound = [self._value(texts[at], shape.columns[at]) for at in self.selection.identity or shape.key]
        return sa.and_(*map(self.database.equal, [sa.column(one.name) for one in columns], bound))

    def of_keys(self, keys: Sequence[tuple[Any, ...]], limit: int) -> list[tuple[Any, ...]]:
        """Return the current rows with these keys, in any order; fewer if they are wide."""
        columns = [self.selection.shape.columns[at] for at in self.selection.shape.key]
        values = [
            [self._value(self.database.text(*pair), pair[1]) for pair in zip(key, columns, strict=True)] for key in keys
        ]
        among = self.database.among([sa.column(one.name) for one in columns], values)
        return self.database.read(self._select_rows(Start(())).where(among).limit(limit), BATCH_BYTES)

    def count(self, after: Start, most: int, until: Values | None = None) -> int:
        """Count the rows above `after`, up to `until` if given; counting ends at `most`."""
        some = self._select([sa.literal_column("1").label("one")], after)
        if until is not None:
            some = some.where(self.up_to(until))
        counted: Any = sa.select(sa.func.count()).select_from(some.limit(most).subquery("counted"))
        ((rows,),) = self.database.read(counted, BATCH_BYTES)  # the size bound frees locks within a snapshot
        return int(rows)

    def count_below(self, after: Start, values: Values, most: int) -> int:
        """Return how many of the next `most` rows above `after` lie below `values`, as the database compares them."""
        reached = self.database.beyond(self._position, self._bound(values), inclusive=True)
        below = sa.case((reached, sa.literal_column("0")), else_=sa.literal_column("1")).label("below")
        query = self._select([below], after).where(self.up_to(values)).order_by(*self._position)
        return sum(str(found) == "1" for (found,) in self.database.read(query.limit(most), BATCH_BYTES))

    def positions(self, after: Start, most: int, until: Values) -> list[tuple[Any, ...]]:
        """Return the positions of the rows above `after`, up to `until`, in any order; at most `most`."""
        query = self._select(self._position, after).where(self.up_to(until))
        return self.database.read(query.limit(most), BATCH_BYTES)

    def count_at(self, values: Values, most: int) -> int:
        """Count the rows at the position `values`; counting ends at `most`."""
        return self.count(Start(values, included=True), most, values)

    def lower(self, one: Start, other: Start) -> Start:
        """Return the lower of two starts; either one if no row lies between them."""
        if not one.values or not other.values:
            return other if one.values else one
        between = self._select([sa.literal_column("1")], one).where(
            self.database.until(self._position[:1], self._bound(other.values[:1])), sa.not_(self._beyond(other))
        )
        return one if self.database.read(between.limit(1)) else other

    def refuse_null(self, after: Start) -> None:
        """Check that every row has a position in the order (no NULL in it).

        The first column is checked in all rows, the others in those still to be read.

        Raises:
            ConfigurationError: naming the column; nothing was read.
        """
        for at, column in enumerate(self.selection.columns):
            if not column.nullable:
                continue
            null: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(self.selectable).where(*self.where)
            if at and after.values:
                low = self._bound(after.values[:1])
                null = null.where(self.database.beyond(self._position[:1], low, inclusive=True))
            self._refuse(column, null)

    def refuse_null_within(self, low: str, high: str) -> None:
        """Check that every row of `[low, high)` of the first column has a position in the order.

        A row with a NULL in that column belongs to no window.

        Raises:
            ConfigurationError: naming the column; nothing was read.
        """
        for column in self.selection.columns[1:]:
            if column.nullable:
                null: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(self.selectable)
                above = self.database.beyond(self._position[:1], self._bound((low,)), inclusive=True)
                self._refuse(column, null.where(above, self.below(high)))

    def _refuse(self, column: Column, rows: Any) -> None:
        if self.database.read(rows.where(sa.column(column.name).is_(None)).limit(1)):
            raise without_place(self.what, column, self.selection.shape, self.null_remedy)

    def values(self, row: tuple[Any, ...]) -> Values:
        """Return the position of a row of a page."""
        return self.texts(tuple(row[at] for at in self.selection.position))

    def texts(self, values: tuple[Any, ...]) -> Values:
        """Return position values as watermark texts."""
        return tuple(map(self.database.text, values, self.selection.columns))

    @property
    def unknown(self) -> tuple[str, ...]:
        """What could not be determined of the table or its columns, each in words with the GRANT that allows it."""
        return self.state.unknown + self.selection.unknown

    @property
    def read_columns(self) -> list[Any]:
        """The columns of a page, for a SELECT."""
        return [*map(self._read, range(len(self.selection.shape.columns)))]

    @property
    def _position(self) -> list[Any]:
        return [sa.column(column.name) for column in self.selection.columns]

    def _read(self, at: int) -> Any:
        """Return a column of a page. Position columns stay bare: a label of that name would capture ORDER BY."""
        column = self.selection.shape.columns[at]
        plain = self.small or at in self.selection.position
        return sa.column(column.name) if plain else self.database.bounded(column)

    def _bound(self, values: Values) -> list[Any]:
        return list(map(self._value, values, self.selection.columns))

    def _value(self, text: str, column: Column) -> Any:
        try:
            return self.database.bind(text, column)
        except ValueError:
            raise WatermarkError(
                f"the watermark of stream {self.stream!r} holds a text for column {column.name!r} that is not a value"
                f" of its type {column.type!r}; nothing was read. Look at it with {command('show', self.stream)}, set"
                " it right or forget it"
            ) from None  # the original error holds the text

    def _select_rows(self, after: Start) -> Any:
        shape = self.selection.shape
        query = self._select(self.read_columns, after)
        return query.execution_options(expected=shape.columns, key_columns=shape.named(shape.key))

    def _select(self, columns: Any, after: Start) -> Any:
        query: Any = sa.select(*columns).select_from(self.selectable).where(*self.where)
        if self.constant:
            query = query.execution_options(constant_columns=self.constant)
        return query.where(self._beyond(after)) if after.values else query

    def _beyond(self, after: Start) -> Any:
        position, values = self._position, self._bound(after.values)
        # Fewer values than columns are an inclusive start.
        included = after.included or len(values) < len(position)
        tied, rest = slice(after.tied), slice(after.tied, len(values))
        return sa.and_(
            *map(self.database.equal, position[tied], values[tied]),
            self.database.beyond(position[rest], values[rest], inclusive=included),
        )
