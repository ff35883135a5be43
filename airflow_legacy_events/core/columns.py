"""Columns of a row: the kinds of their values, and their roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    r"""Kind of a column's values, independent of the database's name of the type.

    Rows carry each value as the database's own text where the driver returns it, else as the plain
    Python value; an envelope accepts both. The texts are:

    INTEGER digits · DECIMAL digits, `NaN`, `Infinity` · MONEY `-$1,234.56` · FLOAT shortest exact digits, `NaN`,
    `Infinity` · SINGLE digits of the double that a four-byte float equals; the envelope writes fewer ·
    BOOLEAN `t`/`f`, `true`/`false`, `1`/`0` · DATE, TIME as written · TIMESTAMP `2026-11-23 09:15:02[.123456]` without
    zone · INSTANT the same in UTC with `+00` · UUID, TEXT as they are · JSON a JSON text · BYTES `\x` and hex ·
    ARRAY `{…}` as PostgreSQL writes it, with the element kind in the column · ANY any Python value, carried by its own
    type (SQLite columns without a declared type).
    """

    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"
    SINGLE = "single"
    ARRAY = "array"
    ANY = "any"


class Absent:
    """Type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""Value of a column that is not part of a row, such as one that a change log left out; unlike None, which is NULL."""

TEMPORAL = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT})


class Elements(NamedTuple):
    """Elements of an array, in any number of dimensions.

    Attributes:
        kind: of its elements.
        delimiter: between two of them.
        elements: of each of them, where the elements are themselves arrays (a domain over an array).
    """

    kind: Kind
    delimiter: str = ","
    elements: Elements | None = None


class Column(NamedTuple):
    """Column of a query's result.

    Attributes:
        name: as the result names it.
        kind: what its values mean.
        type: the database's own name of the type, for errors and the watermark.
        nullable: False only if the database guarantees it.
        elements: of an array.
        checked: True if the database guarantees well-formed text for this type, so the encoder need not validate it.
    """

    name: str
    kind: Kind
    type: str
    nullable: bool = True
    elements: Elements | None = None
    checked: bool = False


@dataclass(frozen=True, eq=False)
class Shape:
    """Columns of the rows of a batch, and the role of each.

    All batches of that shape share one object: compiled encoders are cached by its identity.

    Attributes:
        columns: as the rows hold them, hidden ones included.
        data: positions that an event's `data` holds, in its order.
        key: positions of the message key.
        watermark: positions of the declared watermark columns.
        time: position of the row's time, None where it has none.
        group: positions whose values rows of one group share. Their order is kept when one of them can't be delivered.
        roles: positions by the name of their role, where a source defines any; see `sources.outbox`.
        before: positions of the old row's values, in the order of `data`, where an event holds both images; else empty.
        unchanged: position of the names of columns that are absent because they did not change; None if there is none.
        numbered: whether the watermark columns alone identify a version of a row, so that event ids need no checksum.
        table: the table of a source that reads several; None if it reads one.
        stream: attributes of the stream that differ for these rows, such as `topic`.
    """

    columns: tuple[Column, ...]
    data: tuple[int, ...]
    key: tuple[int, ...]
    watermark: tuple[int, ...] = ()
    time: int | None = None
    group: tuple[int, ...] = ()
    roles: Mapping[str, int] = field(default_factory=dict)
    before: tuple[int, ...] = ()
    unchanged: int | None = None
    numbered: bool = False
    table: str | None = None
    stream: Mapping[str, str] = field(default_factory=dict)

    def named(self, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the names of the columns at `positions`, in that order."""
        return tuple(self.columns[at].name for at in positions)
