"""Keyset conditions without row values, for databases that have none or find no index by them.

`(a, b, c) > (x, y, z)` is spelled `a >= x AND (a > x OR (a = x AND (b > y OR (b = y AND c > z))))`. The first
comparison follows from the rest; an index on the columns is entered by it, the alternatives only filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


def beyond(columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
    """Return the condition `(columns) > (values)`, or `>=`.

    Args:
        columns: one or more SQLAlchemy columns, none of them NULL in any row.
        values: as many bound values, each of a form that is compared as its column's own.
        inclusive: whether rows that equal `values` are meant too.
    """
    last = columns[-1] >= values[-1] if inclusive else columns[-1] > values[-1]
    if len(columns) == 1:
        return last
    for column, value in reversed(list(zip(columns[:-1], values[:-1], strict=True))):
        last = sa.or_(column > value, sa.and_(column == value, last))
    return sa.and_(columns[0] >= values[0], last)


def until(columns: Sequence[Any], values: Sequence[Any]) -> Any:
    """Return the condition `(columns) <= (values)`; arguments as in `beyond`."""
    last = columns[-1] <= values[-1]
    if len(columns) == 1:
        return last
    for column, value in reversed(list(zip(columns[:-1], values[:-1], strict=True))):
        last = sa.or_(column < value, sa.and_(column == value, last))
    return sa.and_(columns[0] <= values[0], last)
