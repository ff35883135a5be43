"""Encoding plan: everything that an encoder needs to know of a shape and an envelope, as plain data.

An encoder takes a plan and gives the function that turns batches into messages. `compiler.py` is the one that
generates Python; any other must give the same bytes for the golden message set.
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
    DATA = "data"


class Member(NamedTuple):
    """A slot with the literals that belong to it.

    A subject that is empty and a time that is absent take their literals with them.
    """

    before: str
    slot: Slot
    after: str


Part: TypeAlias = str | Member
FieldTemplate: TypeAlias = tuple[str | int, ...]
"""Literals, and places of the fields whose texts stand between them."""


class Field(NamedTuple):
    """A column that a message uses, at one or several places."""

    position: int
    name: str
    kind: Kind
    type: str
    elements: Elements | None = None
    checked: bool = False


class Plan(NamedTuple):
    """Encoding plan of one shape.

    Attributes:
        topic: where they go.
        timezone: name of the zone in which naive times are read.
        formats: how values are written.
        fields: the used columns; the other attributes name places in it.
        data: fields of the data object, in its order.
        key: fields of the message key.
        watermark: fields whose texts stand in the event id.
        time: field of the row's time, None where it has none.
        message: literals and slots of the value.
        templates: what the slots SOURCE, TYPE and SUBJECT hold; without one the subject is the key, the others are
            literals or constant headers.
        headers: the same for every message.
        each: names of the headers that differ, with what they hold.
        timestamp: field of the message timestamp, None where that is the time of sending.
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
