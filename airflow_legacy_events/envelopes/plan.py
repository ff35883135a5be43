"""The encoding plan: everything an encoder needs to know of a shape and an envelope, as plain data.

An encoder takes a plan and gives the function that turns batches into messages. `compiler.py` is the one that
generates Python; any other must give the same bytes for the golden message set.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from json.encoder import encode_basestring as quoted
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import TEMPORAL, Headers, Kind, Shape, Stream


class Slot(StrEnum):
    """What a row or its batch puts between the literals of a message."""

    ID = "id"
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


class Field(NamedTuple):
    """A column that is used, wherever in the message and how often ever."""

    position: int
    name: str
    kind: Kind
    type: str


class Plan(NamedTuple):
    """How one shape becomes messages.

    Attributes:
        topic: where they go.
        timezone: IANA name of the zone in which naive times are read.
        fields: the used columns; the other attributes name places in it.
        data: fields of the data object, in its order.
        key: fields of the message key.
        watermark: fields whose texts stand in the event id.
        time: field of the row's time, None where it has none.
        message: literals and slots of the value.
        headers: the same for every message.
        id_header: whether each message carries its event id as the header `id`.
    """

    topic: str
    timezone: str
    fields: tuple[Field, ...]
    data: tuple[int, ...]
    key: tuple[int, ...]
    watermark: tuple[int, ...]
    time: int | None
    message: tuple[Part, ...]
    headers: Headers
    id_header: bool


def make_plan(
    shape: Shape, stream: Stream, *, message: tuple[Part, ...], headers: Headers = (), id_header: bool = False
) -> Plan:
    """Return the plan of one shape.

    Raises:
        EnvelopeError: there is no key, two columns of `data` share a name, or a column can't be carried.
    """
    time = shape.time if any(isinstance(part, Member) and part.slot is Slot.TIME for part in message) else None
    used = dict.fromkeys([*shape.data, *shape.key, *shape.watermark, *([] if time is None else [time])])
    place = {position: at for at, position in enumerate(used)}
    fields = tuple(Field(position, *shape.columns[position][:3]) for position in used)
    _check(shape, stream, fields, time)
    return Plan(
        topic=stream.topic,
        timezone=stream.source_timezone,
        fields=fields,
        data=tuple(place[at] for at in shape.data),
        key=tuple(place[at] for at in shape.key),
        watermark=tuple(place[at] for at in shape.watermark),
        time=None if time is None else place[time],
        message=message,
        headers=headers,
        id_header=id_header,
    )


def text(value: str) -> str:
    """Return `value` as a JSON string, to stand in a literal.

    Raises:
        EnvelopeError: it can't be written in UTF-8.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EnvelopeError(f"the name {value!r} holds half a surrogate pair, which UTF-8 can't carry") from error
    return quoted(value)


def _check(shape: Shape, stream: Stream, fields: tuple[Field, ...], time: int | None) -> None:
    if not shape.key:
        raise EnvelopeError(f"stream {stream.name!r} has no key columns; name them with key_columns=[...]")
    counts = Counter(shape.named(shape.data))
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise EnvelopeError(
            f"the data of stream {stream.name!r} would hold the names {', '.join(map(repr, repeated))} more than once;"
            " give each column a name of its own with AS"
        )
    for name in counts:
        text(name)
    for field in fields:
        if field.kind not in set(Kind):
            raise EnvelopeError(
                f"column {field.name!r} has the type {field.type!r}, which can't be carried;"
                f" read it as text with sql= and CAST({field.name} AS TEXT), or leave it out with exclude_columns"
            )
    if time is not None and shape.columns[time].kind not in TEMPORAL:
        raise EnvelopeError(f"column {shape.columns[time].name!r} is no date or time, so it can't be the row's time")
