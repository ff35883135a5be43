"""Report of a run, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_legacy_events.core.model import LEFT_ROWS, PENDING_ROWS, Delivered


@dataclass
class Report:
    """Result of a run; every key is always present, but `tables`. `rows == events + rejected + skipped`.

    Attributes:
        stream: its name.
        mode: `live`, `replay` or `rerun`.
        rows: rows read and decided.
        events: messages acknowledged on their topic.
        rejected: messages that went to the dead-letter topic.
        skipped: rows that can't be delivered, and later rows of their groups, left at the source for a later run; or
            changes that can't be delivered, passed because their table is read again.
        batches: batches confirmed.
        bytes: of keys and values of the events, in UTF-8.
        watermark_from: the values at the start, None for a stream that had delivered nothing.
        watermark_to: the values at the end.
        horizon: the target that was fixed at the start.
        target_reached: False after `max_rows` or `max_seconds`, or a failure.
        rows_left: rows left below the target when `max_rows` or `max_seconds` ended the run; counting ends at
            `LEFT_ROWS`. None if none were left, or they were not counted.
        held_back: rows above the bound of the run, and why they wait; None if there are none; see `model.HeldBack`.
        completeness: `exact`, `bounded` or `best_effort`.
        completeness_reason: the assumption or gap behind that word.
        seconds: of the relay alone.
        topics: events by topic.
        window: `from` and `to` of a replay or rerun, else None.
        backlog: rows waiting in an outbox when the run ends, their age and the table's bytes; see `model.Backlog`.
        table_reset: set if the table was reset below the watermark: its `highest` position now, the `watermark`, and
            the `action` by `on_reset`; else None.
        log: what a run read of a change log, and its state at the source; see `ports.LogSource`. None if the source
            reads none.
        tables: rows `upserted` and `deleted` by table, of a run that applies a topic to tables; counted after each
            batch was reduced to the last states of its rows. None, and left out as plain JSON, of any other run.
    """

    stream: str
    mode: str = "live"
    rows: int = 0
    events: int = 0
    rejected: int = 0
    skipped: int = 0
    batches: int = 0
    bytes: int = 0
    watermark_from: list[str] | None = None
    watermark_to: list[str] | None = None
    horizon: list[str] | None = None
    target_reached: bool = False
    held_back: dict[str, Any] | None = None
    completeness: str = "best_effort"
    completeness_reason: str = "the run ended before the source was opened"
    seconds: float = 0.0
    topics: dict[str, int] = field(default_factory=dict)
    window: dict[str, Any] | None = None
    backlog: dict[str, Any] | None = None
    table_reset: dict[str, Any] | None = None
    rows_left: int | None = None
    log: dict[str, Any] | None = None
    tables: dict[str, dict[str, int]] | None = None

    def count(self, delivered: Delivered) -> None:
        """Copy the counts of what the run has delivered so far."""
        self.rows, self.events, self.rejected = delivered.rows, delivered.events, delivered.rejected
        self.batches, self.bytes, self.topics = delivered.batches, delivered.bytes, dict(delivered.topics)
        self.skipped = delivered.skipped
        if delivered.tables:
            self.tables = {
                name: {"upserted": upserted, "deleted": deleted}
                for name, (upserted, deleted) in delivered.tables.items()
            }

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        found = asdict(self)
        if self.tables is None:
            del found["tables"]
        return found

    def __str__(self) -> str:
        what = "" if self.mode == "live" else f"{self.mode}, "
        return (
            f"{self.stream}: {what}{self.events} events, {self.rejected} rejected, {self.skipped} skipped of"
            f" {self.rows} rows in {self.batches} batches and {self.seconds:.1f} s; target"
            f" {'reached' if self.target_reached else f'not reached{self._left}'}; {self.completeness}"
            f" ({self.completeness_reason})"
        )

    @property
    def _left(self) -> str:
        """The rows left by a budget, in words."""
        rows, most = self.rows_left, LEFT_ROWS
        if rows is None and self.backlog is not None:
            rows, most = self.backlog["rows"], PENDING_ROWS
        if rows is None:
            return ""
        return f", {'at least ' if rows >= most else ''}{rows} rows left"
