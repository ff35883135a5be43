"""Proof of a page: that it holds every row of its last position, where the catalog does not prove it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sources.rows import Found, Rows


def whole(rows: Rows, read: Callable[[], Found]) -> list[tuple[Any, ...]]:
    """Return the page that `read` gives, once it holds every row of its last position: the next one begins above that.

    Raises:
        ConfigurationError: more rows have the last row's position than the page holds.
    """
    page = read().rows
    if not page or rows.selection.distinct:
        return page
    last = rows.values(page[-1])
    here = sum(1 for _ in itertools.takewhile(lambda row: rows.values(row) == last, reversed(page)))
    if rows.count_at(last, here + 1) > here:
        names = ", ".join(repr(column.name) for column in rows.selection.columns)
        raise ConfigurationError(
            f"several rows of {rows.what} are equal in {names}, and a page that ends among them would pass the rest"
            " over; nothing of that page was sent. Name key_columns= that together identify a row"
        )
    return page
