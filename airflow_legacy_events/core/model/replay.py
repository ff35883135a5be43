"""Replays and reruns: a window, or the span of a live run, sent again."""

from __future__ import annotations

from typing import Any, NamedTuple

from airflow_legacy_events.core.model.watermark import listed
from airflow_legacy_events.core.printable import printable


class Window(NamedTuple):
    """Window of a replay: the half-open range `[low, high)`, as given by the user.

    Attributes:
        column: compared with the moments; None: the first temporal watermark column.
        low: inclusive: a moment in ISO 8601 with an offset, or the text of a value of the first watermark column.
        high: exclusive; in the same form as `low`.
    """

    column: str | None
    low: str
    high: str

    @property
    def shown(self) -> str:
        """The range in one line, for messages; escaped, since it is user input."""
        return printable(f"[{self.low}, {self.high})")


class Span(NamedTuple):
    """Span of a live run, `(after, until]`, to be sent again.

    Attributes:
        after: position where that run began; None: a first run.
        until: position that it reached.
        included: whether rows at `after` belong to it.
        also: further start positions of tries of that run, as `after` and `included`; the lowest of all counts.
    """

    after: tuple[str, ...] | None
    until: tuple[str, ...]
    included: bool = False
    also: tuple[tuple[tuple[str, ...] | None, bool], ...] = ()


class Repeat(NamedTuple):
    """Replay or rerun: sends again what a live run sent or will send.

    Attributes:
        mode: `replay` or `rerun`; messages carry it as a header.
        what: the rows.
        progress: name under which the store keeps its progress, separate from the live watermark.
        beside_live: whether it goes to the topic of the live stream; then no older version may follow a newer one.
    """

    mode: str
    what: Window | Span
    progress: str
    beside_live: bool = False

    @property
    def shown(self) -> str:
        """The rows sent again, in words; without the values of a span, since they are row content."""
        if isinstance(self.what, Window):
            return f"{self.mode} of the window {self.what.shown}"
        return f"{self.mode} of what this task had sent before it was cleared"

    @property
    def window(self) -> dict[str, Any]:
        """Bounds of the rows sent, for the report."""
        if isinstance(self.what, Window):
            return {"from": self.what.low, "to": self.what.high}
        return {"from": listed(self.what.after), "to": list(self.what.until)}


class RunMode(NamedTuple):
    """Mode of a run, determined by how it was started.

    Attributes:
        mode: `live`, `replay` or `rerun`.
        what: rows that are sent again; None for a live run.
        topic: requested by a replay, not checked yet; None: the one in the arguments.
        rows_per_second: of a replay; None: the one in the arguments.
        snapshot: tables that a live run reads again beside a change log, as `schema.table`.
    """

    mode: str = "live"
    what: Window | Span | None = None
    topic: str | None = None
    rows_per_second: float | None = None
    snapshot: tuple[str, ...] = ()
