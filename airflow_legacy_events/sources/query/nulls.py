"""NULL watermarks: rows without a position in the order, sent after the others in the order of their key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Opened, Pending, Watermark
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.incremental import IncrementalRun, RunPlan, position_of
from airflow_legacy_events.sources.query.resets import generation_of
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.rows import Rows

POLICIES = ("fail", "skip", "first_run_only", "always")
_REASONS = {
    "skip": "rows whose watermark is NULL are left out (null_watermark='skip')",
    "first_run_only": "rows whose watermark is or becomes NULL after the first run are not seen",
    "always": "rows whose watermark is NULL are sent with every run",
}


def nullable_columns(rows: Rows) -> tuple[Column, ...]:
    """Return the nullable watermark columns outside the key; a NULL in the key is always an error."""
    shape = rows.selection.shape
    return tuple(shape.columns[at] for at in shape.watermark if at not in shape.key and shape.columns[at].nullable)


def in_order(rows: Rows, nullable: tuple[Column, ...]) -> Rows:
    """Return the rows that have a position in the order."""
    where = tuple(sa.column(one.name).is_not(None) for one in nullable)
    return dataclasses.replace(rows, where=(*rows.where, *where), derived=lambda again: in_order(again, nullable))


def without_place(rows: Rows, nullable: tuple[Column, ...]) -> Rows:
    """Return the other rows, whose position is only their key."""
    selection = rows.selection
    shape, absent = selection.shape, {one.name for one in nullable}
    time = None if shape.time is None or shape.columns[shape.time].name in absent else shape.time
    by_key = dataclasses.replace(
        selection,
        shape=dataclasses.replace(shape, watermark=(), time=time),
        position=shape.key,
    )
    return dataclasses.replace(
        rows,
        selection=by_key,
        where=(*rows.where, sa.or_(*(sa.column(one.name).is_(None) for one in nullable))),
        derived=lambda again: without_place(again, nullable),
    )


class NullPass(NamedTuple):
    """Pass over the rows without a position: its number, start and end."""

    number: int
    at: Values
    target: Values

    def mark(self, at: Values) -> dict[str, Any]:
        """Return the watermark's fact of a pass that has reached `at`."""
        return {"number": self.number, "done": False, "at": list(at)}


@dataclass
class NullRun:
    """An incremental run, followed by a pass over the rows without a position.

    Passes are numbered from 1, and the number is part of the event ids. An unfinished pass keeps its number, and the
    next run continues it from its current place.

    Attributes:
        run: over the rows that have a position.
        null_rows: the other rows.
        policy: `skip`, `first_run_only` or `always`.
        stored: the loaded watermark, None on a first run.
        limits: budgets; `max_rows` counts the rows of both.
    """

    run: IncrementalRun
    null_rows: Rows
    policy: str
    stored: Watermark | None
    limits: Limits

    def open(self) -> Opened:
        """Determine both targets; nothing is read for delivery before the first batch is taken."""
        plan = self.run.plan()
        facts: Mapping[str, Any] = self.stored.facts if self.stored is not None else {}
        state = facts.get("nulls") or {"number": 0, "done": True}
        at: Values = () if state["done"] else tuple(state["at"])
        target = None if plan.unbegun else self._find_target(at, unfinished=not state["done"])
        number = state["number"] + 1 if state["done"] else state["number"]
        null_pass = None if target is None else NullPass(number, at, target)
        mark = {"number": state["number"], "done": True} if null_pass is None else null_pass.mark(at)
        horizon = self.run.horizon(plan)
        reason = f"{horizon.reason}; {_REASONS[self.policy]}"
        horizon = horizon._replace(reason=reason, facts={**horizon.facts, "nulls": mark})
        return Opened(horizon, self._batches(plan, null_pass))

    def pending(self, most: int) -> Pending:
        """Count only rows that have a position; the others alone don't start a run."""
        return self.run.pending(most)

    def _batches(self, plan: RunPlan, null_pass: NullPass | None) -> Iterator[Batch]:
        """Yield the pages in order, then those of the pass; the last one is final unless `max_rows` was reached."""
        left, reached, after = self.limits.max_rows, True, position_of(plan.start, len(self.run.rows.selection.columns))
        for batch in self.run.batches(plan):
            left = None if left is None else left - batch.count
            reached, after = batch.final, batch.watermark
            batch.final = batch.final and null_pass is None
            yield batch
        if reached and null_pass is not None:
            yield from self._pass(after, null_pass, left)

    def _find_target(self, at: Values, *, unfinished: bool) -> Values | None:
        first = self.stored is None or self.stored.values is None
        due = {"always": True, "first_run_only": unfinished or (first and not self.run.now)}
        if not due.get(self.policy, False):
            return None
        start = Start(at)
        self.null_rows.refuse_null(start)
        return self.null_rows.highest(start)

    def _pass(self, after: Watermark, null_pass: NullPass, left: int | None) -> Iterator[Batch]:
        at, final, reader = Start(null_pass.at), False, Reader(self.null_rows)
        while not final and (left is None or left > 0):
            limit = self.limits.page_rows if left is None else min(self.limits.page_rows, left)
            rows = reader.page(at, null_pass.target, limit)
            at = reader.rows.next_start(rows) if rows else at
            final = not rows or at.values == null_pass.target
            left = None if left is None else left - len(rows)
            mark = {"number": null_pass.number, "done": True} if final else null_pass.mark(at.values)
            reached = Watermark(after.values, None, {**after.facts, "nulls": mark})
            batch = Batch(reader.rows.selection.shape, rows, len(rows), reached, "r", null_pass.number, final)
            batch.generation = 0 if self.stored is None else generation_of(self.stored.facts)
            yield batch
