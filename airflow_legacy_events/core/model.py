"""The words of the package as types: watermark, window, batch, messages, stream, horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.extent import Extent, Measured, extent_of

Receipt: TypeAlias = tuple[Any, ...]
"""What a batch must still acknowledge at its source: parts of plain JSON, in order.

Receipts of consecutive batches are joined by concatenation.
"""

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Watermark(NamedTuple):
    """How far a stream was delivered.

    Attributes:
        values: the last delivered row's watermark columns, then its key columns, as the source's text.
            Fewer than the columns, or with the fact `included`: rows from these values on, themselves included.
            `()`: from the beginning.
            None: the stream was begun and nothing was delivered yet.
        receipt: what the source must still be told; None where it is told nothing.
        facts: plain JSON about the stream: version, server, topic, columns, run; see README, Watermarks.
    """

    values: tuple[str, ...] | None
    receipt: Receipt | None
    facts: Mapping[str, Any]


class Window(NamedTuple):
    """The half-open range `[low, high)` that a replay sends, as it was asked for.

    Attributes:
        column: that moments are compared with; None: the first temporal watermark column.
        low: included: a moment in ISO 8601 with an offset, or the text of a value of the first watermark column.
        high: excluded; of the same sort as `low`.
    """

    column: str | None
    low: str
    high: str


class Span(NamedTuple):
    """What a live run moved through, `(after, until]`, to be sent once more.

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
    """A run that sends again what a live run sent or will send.

    Attributes:
        mode: `replay` or `rerun`; messages carry it as a header.
        what: the rows.
        progress: name under which the store keeps how far it came, apart from the live watermark.
    """

    mode: str
    what: Window | Span
    progress: str

    @property
    def window(self) -> dict[str, Any]:
        """What is sent, for the report."""
        if isinstance(self.what, Window):
            return {"from": self.what.low, "to": self.what.high}
        return {"from": listed(self.what.after), "to": list(self.what.until)}


def listed(values: tuple[str, ...] | None) -> list[str] | None:
    """Return watermark values as JSON holds them; None stays None."""
    return None if values is None else list(values)


@dataclass(slots=True)
class Batch:
    """Rows that are confirmed together.

    Attributes:
        shape: of all its rows.
        rows: tuples of texts (or plain values), or one raw block for an encoder that takes it.
        count: how many rows; 0 for a batch that only moves the watermark.
        after: the watermark once they are confirmed; the relay adds the facts of the run.
        op: `c`, `u`, `d` or `r`, for every row.
        counter: tells apart versions that are sent at one watermark value; in bulk the load's number.
        final: whether the target of the run is reached with this batch.
        share: how much of the range lies behind it, 0 to 1; None where it can't be told.
    """

    shape: Shape
    rows: Sequence[tuple[Any, ...]]
    count: int
    after: Watermark
    op: str
    counter: int = 0
    final: bool = False
    share: float | None = None


@dataclass(slots=True)
class Messages:
    """Messages of one batch, column by column, all for one topic and in the batch's order.

    Attributes:
        topic: where they go.
        keys: texts; None only where the topic's messages have no key.
        values: texts in the message's final form, or bytes; None is a tombstone.
        headers: the same for every message.
        each: further headers, one entry a message; None when there are none.
        timestamps: of the messages, in milliseconds since 1970-01-01 UTC, above 0; None, as a whole or for one
            message, is the time at which it is sent.
        measured: how long these keys and values are, from an envelope that knows; else it is found when asked for.
    """

    topic: str
    keys: Sequence[str | None]
    values: Sequence[str | bytes | None]
    headers: Headers = ()
    each: Sequence[Headers] | None = None
    timestamps: Sequence[int | None] | None = None
    measured: Measured | None = field(default=None, compare=False, repr=False)

    @property
    def extent(self) -> Extent:
        """Bytes of all messages and of the longest one, without headers."""
        if self.measured is None or not self.measured.is_of(self.keys, self.values):
            self.measured = Measured.of(self.keys, self.values)
        return self.measured.extent

    def headers_of(self, at: int) -> Headers:
        """All headers of one message."""
        return self.headers if self.each is None else (*self.headers, *self.each[at])

    def timestamp_of(self, at: int) -> int | None:
        """The timestamp of one message; None is the time at which it is sent."""
        return None if self.timestamps is None else self.timestamps[at]

    def size(self, without: AbstractSet[int] = frozenset()) -> int:
        """Bytes of all keys and values in UTF-8, leaving out the messages at the places `without`."""
        left_out = (extent_of([self.keys[at]], [self.values[at]]).total for at in without)
        return self.extent.total - sum(left_out)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that the broker refused for good.

    Attributes:
        index: its place in the messages that were published since the last confirmation.
        error: the broker's name of the error, such as `MSG_SIZE_TOO_LARGE`.
        reason: a sentence without the message's content.
    """

    index: int
    error: str
    reason: str


class Formats(NamedTuple):
    """How values are written where there is a choice.

    Attributes:
        decimals: `string`, or `number`: the digits as a JSON number where JSON can write them.
        bigints: `number`, or `string` for integers beyond 2^53 either way.
        times: `rfc3339`, or `naive`: times without a zone as the database writes them.
        bytes: `base64`, or `hex`.
    """

    decimals: str = "string"
    bigints: str = "number"
    times: str = "rfc3339"
    bytes: str = "base64"


FORMATS: Mapping[str, tuple[str, ...]] = {
    "decimals": ("string", "number"),
    "bigints": ("number", "string"),
    "times": ("rfc3339", "naive"),
    "bytes": ("base64", "hex"),
}
"""The words that each of `Formats` may be."""


class Stream(NamedTuple):
    """What an envelope knows of the stream it serves.

    A template is text in which `{column}` stands for that column's text; see `core.templates`.

    Attributes:
        name: of the stream.
        topic: where its messages go.
        source: CloudEvents `source`, `/<connection>/<table as written>`.
        type: CloudEvents `type`, `<connection>.<table>.changed`.
        source_timezone: IANA name of the zone in which naive times are read.
        formats: how values are written.
        event_source: template to use instead of `source`.
        event_type: template to use instead of `type`.
        subject: template to use instead of the key.
        headers: names and templates of further headers of every message.
        timestamp_column: the message timestamp; None: the time at which it is sent.
    """

    name: str
    topic: str
    source: str
    type: str
    source_timezone: str = "UTC"
    formats: Formats = Formats()
    event_source: str | None = None
    event_type: str | None = None
    subject: str | None = None
    headers: Headers = ()
    timestamp_column: str | None = None


class Pending(NamedTuple):
    """What waits at a source.

    Attributes:
        rows: how many rows a run that began now would read; counting ends at `PENDING_ROWS`.
        target: where that run would end, as watermark values; None when it would read nothing.
    """

    rows: int
    target: tuple[str, ...] | None


PENDING_ROWS = 1_000
"""Waiting rows are counted so far: enough to tell a trickle from a load, at the price of one page of an index."""


class Horizon(NamedTuple):
    """What a source found and fixed when it was opened.

    Attributes:
        target: where this run ends, as watermark values; None when there is nothing to read.
        completeness: `exact`, `bounded` or `best_effort`.
        reason: the assumption or the known gap behind that word; never empty.
        facts: what the source records in the watermark: server, columns, query.
        shape: of the rows to come, so that what can't be carried is found before the first read; None where the
            source learns it by reading.
    """

    target: tuple[str, ...] | None
    completeness: str
    reason: str
    facts: Mapping[str, Any]
    shape: Shape | None = None
