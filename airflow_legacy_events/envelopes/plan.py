"""Encoding plan: all that an encoder needs to know about a shape and an envelope, as plain data.

An encoder makes from a plan the function that turns batches into messages. `compiler.py` is the one that generates
Python; any other must produce the same bytes for the golden message set.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model import Formats, Headers


class Slot(StrEnum):
    """Slot of a message or header, filled by the row or its batch."""

    ID = "id"
    SOURCE = "source"
    TYPE = "type"
    SUBJECT = "subject"
    TIME = "time"
    OP = "op"
    UNCHANGED = "unchanged"
    TRANSACTION = "transactionid"
    DATA = "data"


class Deletes(StrEnum):
    """Messages of a deleted row."""

    ROW = "row"
    TOMBSTONE = "tombstone"
    BOTH = "both"


class Member(NamedTuple):
    """A slot with its surrounding literals.

    Where a row has no subject, no time or nothing unchanged, the literals are omitted too.
    """

    before: str
    slot: Slot
    after: str


Part: TypeAlias = str | Member
FieldTemplate: TypeAlias = tuple[str | int, ...]
"""Literals, and places of the fields whose texts are inserted between them."""


class Field(NamedTuple):
    """A column used by a message, in one or several places."""

    position: int
    name: str
    kind: Kind
    type: str
    elements: Elements | None = None
    checked: bool = False


class Plan(NamedTuple):
    """Encoding plan of one shape.

    Attributes:
        topic: of the messages.
        timezone: name of the zone of naive times.
        formats: how values are written.
        fields: the used columns; the other attributes hold indexes into it.
        data: fields of the data object, in its order.
        key: fields of the message key.
        watermark: fields whose texts are part of the event id.
        time: field of the row's time, None if it has none.
        message: literals and slots of the value.
        templates: of the slots SOURCE, TYPE and SUBJECT; without one the subject is the key, and the others are
            literals or constant headers.
        headers: the same for every message.
        each: names of the headers that vary by row, with their content.
        timestamp: field of the message timestamp, None if that is the time of sending.
        before: fields of the old row, in the order of `data`, where the data object holds both images; else empty.
        unchanged: field of the names of columns that an update left out; None if there is none.
        numbered: whether the watermark identifies a version of a row, so that the event id has no checksum.
        deletes: what is sent for a deleted row.
    """

    topic: str
    timezone: str
    formats: Formats
    fields: tuple[Field, ...]
    data: tuple[int, ...]
    key: tuple[int, ...]
    watermark: tuple[int, ...]
    time: int | None
    message: tuple[Part, ...]
    templates: dict[Slot, FieldTemplate]
    headers: Headers
    each: tuple[tuple[str, Slot | FieldTemplate], ...]
    timestamp: int | None
    before: tuple[int, ...] = ()
    unchanged: int | None = None
    numbered: bool = False
    deletes: Deletes = Deletes.ROW
