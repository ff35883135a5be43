"""Conditions on positions and rows, written so that an index can serve them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases import keyset


class Conditions(ABC):
    """Conditions of `core.ports.Database`, for a database with SQL comparison semantics.

    Attributes:
        row_values: whether an index serves row-value comparisons; other databases use `keyset`.
        version: see `core.ports.Database.version`.
    """

    row_values = True
    version: Column | None = None

    @abstractmethod
    def bind(self, text: str, column: Column) -> Any:
        """See `core.ports.Database.bind`."""

    def beyond(self, columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
        """See `core.ports.Database.beyond`.

        With row values, one index on the columns serves both the bound and the order.
        """
        right = list(map(bound, values))
        if not self.row_values:
            return keyset.beyond(columns, right, inclusive=inclusive)
        return _row(columns) >= _row(right) if inclusive else _row(columns) > _row(right)

    def equal(self, column: Any, value: Any) -> Any:
        """See `core.ports.Database.equal`."""
        return column == bound(value)

    def until(self, columns: Sequence[Any], values: Sequence[Any]) -> Any:
        """See `core.ports.Database.until`."""
        right = list(map(bound, values))
        return _row(columns) <= _row(right) if self.row_values else keyset.until(columns, right)

    def among(self, columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Any:
        """See `core.ports.Database.among`."""
        rows_as_values = self.row_values or len(columns) == 1
        if not rows_as_values or any(isinstance(value, sa.ColumnElement) for row in rows for value in row):
            return keyset.among(columns, rows, bound)
        if len(columns) == 1:
            return columns[0].in_(_listed([value for (value,) in rows], sa.types.NullType()))
        types = sa.types.TupleType(*[sa.types.NullType()] * len(columns))
        return _row(columns).in_(_listed([tuple(row) for row in rows], types))

    def unchanged(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int]) -> Any:
        """See `core.ports.Database.unchanged`; the version is an additional value of each row."""
        compared = [*columns, *([self.version] if self.version is not None else [])]
        texts = ([*row, str(version)] for row, version in zip(rows, versions, strict=True))
        values = [[self.bind(text, one) for text, one in zip(row, compared, strict=True)] for row in texts]
        return self.among([sa.column(one.name) for one in compared], values)


def bound(value: Any) -> Any:
    """Return a bind parameter without a type, so that no cast is rendered around it.

    SQL expressions are returned unchanged.
    """
    if isinstance(value, sa.ColumnElement):
        return value
    return sa.bindparam(None, value, type_=sa.types.NullType(), unique=True)


def _listed(values: Sequence[Any], type_: Any) -> Any:
    """Return an expanding parameter: the statement lists its values as separate parameters."""
    return sa.bindparam(None, values, type_=type_, unique=True, expanding=True)


def _row(elements: Sequence[Any]) -> Any:
    return elements[0] if len(elements) == 1 else sa.tuple_(*elements)
