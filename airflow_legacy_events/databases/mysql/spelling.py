"""Queries of MySQL and MariaDB: some types are selected by an expression, and an index is forced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.ports import TableState, Withheld
from airflow_legacy_events.databases.mysql.catalog import CatalogEntry
from airflow_legacy_events.databases.mysql.sizes import bounded_together
from airflow_legacy_events.databases.mysql.types import Spell

_FINEST = 6
_ALL_BYTES = 8 * 2**20
"""The most that the servers take."""

_SOME_BYTES = 4_096
_LONGEST_VARCHAR, _LONGEST_TEXT = 2**16 - 2, 4 * (2**16 - 1)


@dataclass
class Known:
    """What the last reflection found.

    Attributes:
        entry: the catalog's, None of a query.
        spellings: makes, for columns by name, the expression that is selected instead.
        guards: columns by the number of the guard in their expression, see `charsets`.
        unbounded: columns that may hold a value too large for any message, or many of them.
        digits: of a second that a column of times keeps.
        collations: of the columns that have one.
        lengths: bytes of the longest value of each column of texts or bytes.
        functions: whether what is read may run stored functions.
        state: what is known of a query.
        withheld: columns of a table that this user may not read.
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

    @property
    def json(self) -> frozenset[str]:
        """Columns that MariaDB keeps as texts, and that hold JSON."""
        return frozenset() if self.entry is None else self.entry.json

    def spelled(self, query: Any, quote: Callable[[str], str], most: int) -> Any:
        """Return the query as it is sent; order and conditions keep the bare columns.

        Args:
            query: of SQLAlchemy.
            quote: puts the name of an index in quotes.
            most: bytes that a row may have, where `SqlDatabase.bounded` bounds several of its columns.
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
        hint = f"FORCE INDEX ({quote(index)})".replace("%", "%%")  # SQLAlchemy formats it, and then the driver does
        return query.with_hint(query.get_final_froms()[0], hint)

    @property
    def computes(self) -> bool:
        """Whether columns may be computed: of a query, and of a view."""
        return self.entry is None or self.entry.facts.indexes is None

    @property
    def row_bytes(self) -> int:
        """The most that the texts and bytes of a row can take."""
        return sum(self.lengths.values())

    def sort_bytes(self, query: Any, *, packs: bool) -> int:
        """Return by how many bytes of their weights texts must be sorted for a query; 0 where it sorts none.

        Of columns whose longest values are too long for a sort, so many that a usual sort does not become much slower;
        who reads counts such pages.

        Args:
            query: of SQLAlchemy.
            packs: whether the server sorts by keys as long as their values, instead of as the longest ones.
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
        """Return the index that sorts as the query does; the optimizer alone might sort the whole table.

        Of such indexes it is the one that begins with the most columns that are constant, for it reads no other rows.
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
        """Return the time now in UTC, with the digits that the column keeps: an assignment would round it up."""
        if of.kind is Kind.DATE:
            return sa.func.utc_date()
        now = sa.func.utc_timestamp(sa.literal_column(str(self.digits.get(of.name, _FINEST))))
        return sa.cast(now, sa.CHAR) if of.kind is Kind.TEXT else now


def _order(query: Any) -> tuple[str, ...]:
    return tuple(_name(one) for one in query._order_by_clauses)  # noqa: SLF001  it has no other name


def _itself(column: Any) -> Any:
    return column


def _name(order: Any) -> str:
    return str(getattr(order, "element", order).name)
