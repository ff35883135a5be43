"""MySQL and MariaDB queries: some types are selected through an expression, and an index is forced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.ports import TableState, Withheld
from airflow_legacy_events.databases.mysql.catalog import CatalogEntry
from airflow_legacy_events.databases.mysql.sizes import bounded_together
from airflow_legacy_events.databases.mysql.tokens import Name
from airflow_legacy_events.databases.mysql.types import Spell

_FINEST = 6
_ALL_BYTES = 8 * 2**20
"""The servers' maximum."""

_SOME_BYTES = 4_096
_LONGEST_VARCHAR, _LONGEST_TEXT = 2**16 - 2, 4 * (2**16 - 1)


@dataclass
class Known:
    """Results of the last reflection.

    Attributes:
        entry: the catalog's; None for a query.
        spellings: by column name, a function that returns the expression to select instead.
        guards: columns by the guard number in their expression, see `charsets`.
        unbounded: columns whose values may be too large for any message, alone or together.
        digits: fractional-second digits of temporal columns.
        collations: of the columns with one.
        lengths: maximum value length in bytes of each text or binary column.
        functions: whether reading it may run stored functions.
        state: the known state of a query.
        withheld: columns that this user may not read.
        wanted: names of the tables to read, as written by the user.
    """

    entry: CatalogEntry | None = None
    spellings: Mapping[str, Spell] = field(default_factory=dict)
    guards: Mapping[int, str] = field(default_factory=dict)
    unbounded: frozenset[str] = frozenset()
    digits: Mapping[str, int] = field(default_factory=dict)
    collations: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    functions: bool = False
    state: TableState = field(default_factory=TableState)
    withheld: Withheld = field(default_factory=Withheld)
    wanted: tuple[Name, ...] = ()

    @property
    def json(self) -> frozenset[str]:
        """JSON columns that MariaDB stores as text."""
        return frozenset() if self.entry is None else self.entry.json

    def spelled(self, query: Any, quote: Callable[[str], str], most: int) -> Any:
        """Return the query to send. ORDER BY and conditions keep the bare columns.

        Args:
            query: of SQLAlchemy.
            quote: quotes the name of an index.
            most: row size limit in bytes, if `SqlDatabase.bounded` bounds several of its columns.
        """
        if not isinstance(query, sa.Select):
            return query
        columns = query.selected_columns
        bounded = [one.name for one in columns if isinstance(one, sa.Label) and one.name in self.unbounded]
        if len(bounded) > 1:
            query = query.with_only_columns(*bounded_together(list(columns), bounded, most))
            columns = query.selected_columns
        if any(column.name in self.spellings for column in columns):
            query = query.with_only_columns(*(self.spellings.get(one.name, _itself)(one) for one in columns))
        index = self._index_of(query)
        if index is None:
            return query
        hint = f"FORCE INDEX ({quote(index)})".replace("%", "%%")  # formatted by SQLAlchemy, then by the driver
        return query.with_hint(query.get_final_froms()[0], hint)

    @property
    def computes(self) -> bool:
        """Whether columns may be computed: true for a query and a view."""
        return self.entry is None or self.entry.facts.indexes is None

    @property
    def row_bytes(self) -> int:
        """Maximum bytes of all text and binary columns of a row."""
        return sum(self.lengths.values())

    def sort_bytes(self, query: Any, *, packs: bool) -> int:
        """Return the sort length for a query, in bytes of collation weights; 0 if it sorts no text.

        For columns whose longest values are too long to sort completely, the length is limited so that a typical sort
        stays fast. The reader counts such pages.

        Args:
            query: of SQLAlchemy.
            packs: whether the server packs sort keys: their length is that of the value, not of the longest possible
                one.
        """
        if not isinstance(query, sa.Select) or self._index_of(query) is not None:
            return 0
        lengths = [self.lengths[name] for name in _order(query) if name in self.lengths]
        if not lengths:
            return 0
        return _ALL_BYTES if max(lengths) <= (_LONGEST_TEXT if packs else _LONGEST_VARCHAR) else _SOME_BYTES

    def _index_of(self, query: Any) -> str | None:
        return self._index_for(_order(query), frozenset(query.get_execution_options().get("constant_columns", ())))

    def _index_for(self, order: tuple[str, ...], constant: frozenset[str]) -> str | None:
        """Return the index with the query's sort order: without it, the optimizer might sort the whole table.

        Among several, the index with the most leading constant columns wins: it reads no other rows.
        """
        if self.entry is None or not order:
            return None
        sorting = []
        for name, by in self.entry.sorted_by.items():
            behind = len(list(takewhile(constant.__contains__, by)))
            if by[behind : behind + len(order)] == order or by[: len(order)] == order:
                sorting.append((name, behind))
        return max(sorting, key=lambda one: one[1])[0] if sorting else None

    def marking(self, of: Column) -> Any:
        """Return the current time in UTC with the column's fractional digits: an assignment would round it up."""
        if of.kind is Kind.DATE:
            return sa.func.utc_date()
        now = sa.func.utc_timestamp(sa.literal_column(str(self.digits.get(of.name, _FINEST))))
        return sa.cast(now, sa.CHAR) if of.kind is Kind.TEXT else now


class Tables:
    """Results of the last reflection of each table of a run: a change log reads several.

    Attributes:
        unbounded: names and types of columns that are unbounded in one of them.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], Known] = {}
        self.unbounded: set[tuple[str, str]] = set()

    def add(self, selectable: Any, columns: Sequence[Column], known: Known) -> None:
        """Add the result of a reflection."""
        if isinstance(selectable, sa.TableClause):
            self._found[selectable.schema, selectable.name] = known
        self.unbounded |= {(one.name, one.type) for one in columns if one.name in known.unbounded}

    def of(self, query: Any, last: Known) -> Known:
        """Return what is known of the table that a query reads; of another query the last result."""
        if len(self._found) < 2 or not isinstance(query, sa.Select):  # noqa: PLR2004  most runs read one
            return last
        tables = (one for one in query.get_final_froms() if isinstance(one, sa.TableClause))
        return next((self._found[key] for one in tables if (key := (one.schema, one.name)) in self._found), last)


def _order(query: Any) -> tuple[str, ...]:
    return tuple(_name(one) for one in query._order_by_clauses)  # noqa: SLF001  no public name


def _itself(column: Any) -> Any:
    return column


def _name(order: Any) -> str:
    return str(getattr(order, "element", order).name)
