"""One pass over the open rows of an outbox, up to a target fixed at its start."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Pending, Receipt, Watermark
from airflow_legacy_events.sources.outbox.receipts import receipt_of
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.pages import pages
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.rows import Rows

_BEGINNING = Start(())

EXACT = (
    "each row is its own state: a row that was not read stays in the table, in whatever order its writers commit; rows"
    " that become visible behind the pass are left to the next run"
)


@dataclass
class Drain:
    """Pages from the first open row to the target.

    Attributes:
        table: what is drained.
        rows: its open rows.
        limits: budgets.
    """

    table: OutboxTable
    rows: Rows
    limits: Limits
    log: logging.Logger

    def target(self) -> Values | None:
        """Return the highest position of an open row, None if there is none."""
        self.rows.refuse_null(_BEGINNING)
        return self.rows.highest(_BEGINNING)

    def pending(self, most: int) -> Pending:
        """Return what a pass starting now would read."""
        target = self.rows.highest(_BEGINNING)
        return Pending(0 if target is None else self.rows.count(_BEGINNING, most, target), target)

    def batches(self, target: Values | None, last: Values | None) -> Iterator[Batch]:
        """Yield keyset pages, each after the last row read; the last one is final unless `max_rows` was reached.

        Args:
            target: where the pass ends.
            last: position that the watermark keeps if nothing is read.
        """
        if target is None:
            return
        ties, drained = _Ties(self.table, self.log), 0
        for page in pages(self.rows, _BEGINNING, target, self.limits):
            ties.look(page.rows)
            drained += len(page.rows)
            after = Watermark(page.at.values or last, self.receipt(page.rows), {"drained": drained})
            shape, count = page.selection.shape, len(page.rows)
            yield Batch(shape, page.rows, count, after, "c", final=page.final, share=page.share)

    def receipt(self, rows: Sequence[tuple[Any, ...]], without: AbstractSet[int] = frozenset()) -> Receipt | None:
        """Return the receipt of rows, leaving out those at the places `without`."""
        kept = [row for at, row in enumerate(rows) if at not in without] if without else rows
        return receipt_of(self.table.received(kept), integers=self.table.integers)


class _Ties:
    """Ties: events of one aggregate at one time with unordered ids; a run warns of them once."""

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
