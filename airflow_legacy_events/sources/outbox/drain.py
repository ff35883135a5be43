"""One pass over the open rows of an outbox, up to a target fixed at its start."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Pending, Receipt, Watermark
from airflow_legacy_events.sources.outbox.receipts import receipt_of
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.outbox.ties import Ties
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
        ties, drained = Ties(self.table, self.log), 0
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
