"""Storage of a table during a snapshot: after a rewrite of the table the snapshot lacks its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.sources.rows import Rows


class Storage:
    """Storage of a table's rows before a snapshot of them began; see `core.ports.Database.storage`.

    Args:
        rows: of a table or query.
    """

    def __init__(self, rows: Rows) -> None:
        self._database, self._table, self._what = rows.database, rows.table, rows.what
        self._query: Any = sa.select(sa.literal_column("1")).select_from(rows.selectable)
        self._before = self._now()

    def exchanged(self) -> str | None:
        """Return what happened to the table since, None if its storage is unchanged.

        Added storage is not a change: a newly attached partition holds no row that the snapshot should contain.
        """
        if self._before is None or not _moved(self._before, self._now()):
            return None
        return (
            f"{self._what} was truncated, rewritten or recreated, or lost a partition, while a snapshot of its rows was"
            " read, and since then the snapshot lacks them"
        )

    def _now(self) -> Any:
        return self._database.storage(self._table, self._query if self._table is None else None)


def _moved(before: Any, after: Any) -> bool:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(after.get(name) != place for name, place in before.items())
    return bool(before != after)
