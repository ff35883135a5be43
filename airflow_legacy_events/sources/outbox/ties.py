"""Ties: events of one aggregate at one time with unordered ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.sources.outbox.table import OutboxTable


class Ties:
    """Looks for ties among the rows of one run, and warns of them once.

    Args:
        table: whose rows they are.
        log: of the task.
    """

    def __init__(self, table: OutboxTable, log: logging.Logger) -> None:
        selection = table.selection
        self._what, self._log, self._group = table.what, log, selection.shape.group
        first, id_ = selection.columns[0], table.column("id")
        ordered = id_ is not None and id_.kind is Kind.INTEGER
        declared = len(selection.shape.watermark)
        self._at = selection.position[0]
        tie_broken_by_id = declared == 1 or selection.columns[1:declared] == (id_,)
        self._looks = first.kind in TEMPORAL and not ordered and tie_broken_by_id
        self._last: Any = None
        self._groups: set[tuple[Any, ...]] = set()

    def look(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Look for ties among the next rows."""
        if not self._looks:
            return None
        for row in rows:
            if row[self._at] != self._last:
                self._last, self._groups = row[self._at], set()
            group = tuple(row[at] for at in self._group)
            if group in self._groups:
                return self._warn()
            self._groups.add(group)
        return None

    def _warn(self) -> None:
        self._looks = False
        self._log.warning(
            "%s holds events of one aggregate with the same time and unordered ids, so their order is undefined: now()"
            " is the same for a whole transaction. Make the time default to clock_timestamp(), or add an identity"
            " column and name it with order_columns=[...]",
            self._what,
        )
