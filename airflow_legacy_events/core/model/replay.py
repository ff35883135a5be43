"""Replays and reruns: a window, or the span of a live run, that is sent again."""

from __future__ import annotations

from typing import Any, NamedTuple

from airflow_legacy_events.core.model.watermark import listed
from airflow_legacy_events.core.printable import printable


class Window(NamedTuple):
    """The half-open range `[low, high)` that a replay sends, as it was given.

    Attributes:
        column: that moments are compared with; None: the first temporal watermark column.
        low: included: a moment in ISO 8601 with an offset, or the text of a value of the first watermark column.
        high: excluded; of the same sort as `low`.
    """

    column: str | None
    low: str
    high: str

    @property
    def shown(self) -> str:
        """The range in one line, for messages: whoever triggers a run may write anything into it."""
        return printable(f"[{self.low}, {self.high})")


class Span(NamedTuple):
    """Span of a live run, `(after, until]`, to be sent once more.

    Attributes:
        after: position where that run began; None: a first run.
        until: position that it reached.
        included: whether rows at `after` belong to it.
        also: further places where tries of that run began, as `after` and `included`; the lowest of all counts.
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
        progress: name under which the store keeps how far it came, apart from the live watermark.
        beside_live: whether it goes to the topic of the live stream, whose newer versions must not be followed by older
            ones.
    """

    mode: str
    what: Window | Span
    progress: str
    beside_live: bool = False

    @property
    def shown(self) -> str:
        """What is sent again, in words; of a span no values, which are those of rows."""
        if isinstance(self.what, Window):
            return f"{self.mode} of the window {self.what.shown}"
        return f"{self.mode} of what this task had sent before it was cleared"

    @property
    def window(self) -> dict[str, Any]:
        """Bounds of what is sent, for the report."""
        if isinstance(self.what, Window):
            return {"from": self.what.low, "to": self.what.high}
        return {"from": listed(self.what.after), "to": list(self.what.until)}


class RunMode(NamedTuple):
    """Mode of a run, decided by how it was started.

    Attributes:
        mode: `live`, `replay` or `rerun`.
        what: rows that are sent again; None for a live run.
        topic: that a replay asks for, not checked yet; None: the arguments' own.
        rows_per_second: of a replay; None: the arguments' own.
    """

    mode: str = "live"
    what: Window | Span | None = None
    topic: str | None = None
    rows_per_second: float | None = None
