"""Queries of MySQL and MariaDB: some types are selected by an expression, and an index is forced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.databases.mysql.catalog import CatalogEntry
from airflow_legacy_events.databases.mysql.types import Spell

_FINEST = 6


@dataclass
class Known:
    """What the last reflection found.

    Attributes:
        entry: the catalog's, None of a query.
        spellings: makes, for columns by name, the expression that is selected instead.
        guards: columns by the number of the guard in their expression, see `charsets`.
        unbounded: columns that may hold a value too large for any message.
        digits: of a second that a column of times keeps.
        collations: of the columns that have one.
    """

    entry: CatalogEntry | None = None
    spellings: Mapping[str, Spell] = field(default_factory=dict)
    guards: Mapping[int, str] = field(default_factory=dict)
    unbounded: frozenset[str] = frozenset()
    digits: Mapping[str, int] = field(default_factory=dict)
    collations: Mapping[str, str] = field(default_factory=dict)

    def spelled(self, query: Any, quote: Callable[[str], str]) -> Any:
        """Return the query as it is sent; order and conditions keep the bare columns."""
        if not isinstance(query, sa.Select):
            return query
        columns = query.selected_columns
        if any(column.name in self.spellings for column in columns):
            query = query.with_only_columns(*(self.spellings.get(one.name, _itself)(one) for one in columns))
        order = tuple(_name(one) for one in query._order_by_clauses)  # noqa: SLF001  it has no other name
        index = self._index_for(order, frozenset(query.get_execution_options().get("constant_columns", ())))
        return query if index is None else query.with_hint(query.get_final_froms()[0], f"FORCE INDEX ({quote(index)})")

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


def _itself(column: Any) -> Any:
    return column


def _name(order: Any) -> str:
    return str(getattr(order, "element", order).name)
