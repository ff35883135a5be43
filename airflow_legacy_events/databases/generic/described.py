"""Columns of a page as any driver describes them: they must stay what they were on the first page of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import SchemaChangedError


class Described:
    """Types of the columns that are read, in the words of the driver.

    They are others than those of the catalog, so a result is compared with the last one that was to have these columns.
    """

    def __init__(self) -> None:
        self._types: dict[Sequence[Column], list[Any]] = {}

    def check(self, conn_id: str, query: Any, result: Any) -> None:
        """Check that a result has the columns that its query expects; nothing where it says none.

        Raises:
            SchemaChangedError: naming the column and both types.
        """
        expected = query.get_execution_options().get("expected")
        if expected is None or result.cursor is None:
            return
        found = [one[1] for one in result.cursor.description]
        before, self._types[expected] = self._types.get(expected, found), found
        for column, was, now in zip(expected, before, found, strict=False):
            if was != now and None not in (was, now):
                raise SchemaChangedError(
                    f"connection {conn_id!r}: column {column.name!r} was {_named(was)}, found was {_named(now)}, while"
                    " the rows were read; nothing of the page was sent"
                )


def _named(code: Any) -> str:
    return getattr(code, "__name__", None) or getattr(code, "name", None) or str(code)
