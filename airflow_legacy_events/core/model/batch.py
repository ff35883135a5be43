"""Batches: rows that are confirmed together, and their outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.copies import Copies
from airflow_legacy_events.core.model.log import LogNotes
from airflow_legacy_events.core.model.watermark import Watermark

STARTED, ENDED = "b", "e"


@dataclass(slots=True)
class Batch:
    """Rows that are confirmed together.

    Attributes:
        shape: of all its rows.
        rows: tuples of texts (or plain values), or one raw block for an encoder that takes it.
        count: how many rows; 0 for a batch that only moves the watermark.
        after: the watermark once they are confirmed; the relay adds the facts of the run. None: they are confirmed and
            saved together with the next batch.
        op: `c`, `u`, `d`, `r`, or `t` for a truncated table, for every row; or `c`, `u`, `d`, `r` for each row;
            `STARTED` or `ENDED` for the one row, without values, that marks where a snapshot of a table begins or ends.
        counter: distinguishes versions that are sent at one watermark value; in bulk the load's number.
        final: whether this batch reaches the target of the run.
        share: fraction of the range that is done after it, 0 to 1; None if unknown.
        generation: how often the table was resent because it had been reset; part of the event ids.
        copies: for rows without a key: numbers equal rows, for their ids. The encoder passes each row once. None where
            rows have a key.
        split: whether rows that belong together continue in the next batch; then no budget ends the run after it.
        passing: whether rows that can't be delivered are passed with a warning: their table is to be read again.
        notes: what a change log says of the rows beside them; None of other sources.
    """

    shape: Shape
    rows: Sequence[tuple[Any, ...]]
    count: int
    after: Watermark | None
    op: str | Sequence[str]
    counter: int = 0
    final: bool = False
    share: float | None = None
    generation: int = 0
    copies: Copies | None = None
    split: bool = False
    passing: bool = False
    notes: LogNotes | None = None

    @property
    def watermark(self) -> Watermark:
        """The watermark after a batch of a source whose batches all have one."""
        assert self.after is not None, "a batch without a watermark"  # noqa: S101
        return self.after

    def name_of(self, at: int) -> str:
        """Return the name of the row at a place for messages: its id, else its position."""
        shape, row = self.shape, self.rows[at]
        if "id" in shape.roles:
            return f"id {row[shape.roles['id']]}"
        named = ", ".join(f"{shape.columns[part].name} {row[part]}" for part in (shape.watermark or shape.key))
        return named or f"number {at}"


class Delivered(NamedTuple):
    """Outcome of the rows of one batch, or of a run so far. `rows == events + rejected + skipped`.

    Attributes:
        rows: decided.
        events: messages acknowledged on their topic.
        rejected: messages that went to the dead-letter topic.
        batches: confirmed.
        bytes: of keys and values of the events, in UTF-8.
        topics: events by topic.
        skipped: rows that were left behind, or passed.
        tables: of a sink, the rows upserted and deleted, by table.
    """

    rows: int = 0
    events: int = 0
    rejected: int = 0
    batches: int = 0
    bytes: int = 0
    topics: Mapping[str, int] = MappingProxyType({})
    skipped: int = 0
    tables: Mapping[str, tuple[int, int]] = MappingProxyType({})

    def plus(self, more: Delivered) -> Delivered:
        """Return the sum of both."""
        names = dict.fromkeys((*self.topics, *more.topics))
        tables = dict.fromkeys((*self.tables, *more.tables))
        return Delivered(
            self.rows + more.rows,
            self.events + more.events,
            self.rejected + more.rejected,
            self.batches + more.batches,
            self.bytes + more.bytes,
            {name: self.topics.get(name, 0) + more.topics.get(name, 0) for name in names},
            self.skipped + more.skipped,
            {name: _both(self.tables.get(name), more.tables.get(name)) for name in tables},
        )


def _both(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int]:
    (upserted, deleted), (more, gone) = one or (0, 0), other or (0, 0)
    return upserted + more, deleted + gone
