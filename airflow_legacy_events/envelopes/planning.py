"""Planning: makes the encoding plan from a shape, a stream and an envelope's frame, and finds all faults in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind, Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import FORMATS, Headers, Stream
from airflow_legacy_events.envelopes.attributes import HEADER, attribute_texts, cleaned
from airflow_legacy_events.envelopes.plan import Deletes, Field, FieldTemplate, Member, Part, Plan, Slot


def make_plan(
    shape: Shape,
    stream: Stream,
    *,
    message: tuple[Part, ...],
    headers: Headers = (),
    each: tuple[tuple[str, Slot], ...] = (),
    deletes: Deletes = Deletes.ROW,
) -> Plan:
    """Return the plan of one shape; the stream's own headers follow the envelope's.

    Raises:
        EnvelopeError: two columns of `data` share a name, a column is not supported, a template names a column that
            does not exist, or two headers share a name.
        ConfigurationError: a template can't be parsed.
    """
    slots = {*(part.slot for part in message if isinstance(part, Member)), *dict(each).values()}
    used = _UsedColumns.of(shape, stream, slots)
    place = used.place
    fields = tuple(_field(at, shape.columns[at]) for at in place)
    _check_columns(shape, stream, fields)
    _check_times(shape, used.time, used.timestamp)
    _check_headers([*(name for name, _ in (*headers, *each)), *(name for name, _ in used.headers)])
    fixed = [(name, _fixed(name, parts)) for name, parts in used.headers if _constant(parts)]
    filled = [(name, used.placed(shape, parts)) for name, parts in used.headers if not _constant(parts)]
    return Plan(
        topic=stream.topic,
        timezone=stream.source_timezone,
        formats=stream.formats,
        fields=fields,
        data=tuple(place[at] for at in shape.data),
        key=tuple(place[at] for at in shape.key),
        watermark=tuple(place[at] for at in shape.watermark),
        time=None if used.time is None else place[used.time],
        message=message,
        templates={slot: used.placed(shape, parts) for slot, parts in used.attributes.items()},
        headers=(*headers, *fixed),
        each=(*each, *filled),
        timestamp=None if used.timestamp is None else place[used.timestamp],
        before=tuple(place[at] for at in shape.before),
        unchanged=None if shape.unchanged is None else place.get(shape.unchanged),
        numbered=shape.numbered,
        deletes=deletes,
    )


def names_transaction(shape: Shape, stream: Stream) -> bool:
    """Return whether the messages of a shape name their transaction by the place of its commit; a snapshot has none."""
    return stream.transactions and bool(shape.watermark)


def without_rows(shape: Shape, stream: Stream) -> Stream:
    """Return the stream without what it takes from columns, if the messages of a shape are about no row.

    Such a shape has numbered changes without key and data: the truncations of a table.
    """
    if shape.key or shape.data or not shape.numbered:
        return stream

    def known(template: str | None) -> str | None:
        named = () if template is None else templates.columns_of(templates.parse(template, "a template"))
        return None if named else template

    return stream._replace(
        event_source=known(stream.event_source),
        event_type=known(stream.event_type),
        subject=known(stream.subject),
        headers=tuple((name, text) for name, text in stream.headers if known(text) is not None),
        timestamp_column=None,
    )


class _UsedColumns(NamedTuple):
    """Columns used by a message: positions in the shape, and their places in the plan."""

    headers: list[tuple[str, templates.Template]]
    attributes: dict[Slot, templates.Template]
    time: int | None
    timestamp: int | None
    place: dict[int, int]

    @classmethod
    def of(cls, shape: Shape, stream: Stream, slots: set[Slot]) -> _UsedColumns:
        headers = [(name, templates.parse(written, f"the header {name!r}")) for name, written in stream.headers]
        found = [(slot, parts) for slot in Slot if slot in slots and (parts := attribute(stream, slot)) is not None]
        attributes = {slot: parts for slot, parts in found if slot is Slot.SUBJECT or not _constant(parts)}
        time = shape.time if Slot.TIME in slots else None
        timestamp = None if stream.timestamp_column is None else _position(shape, stream.timestamp_column)
        named = templates.columns_of(*attributes.values(), *(parts for _, parts in headers))
        unchanged = shape.unchanged if Slot.UNCHANGED in slots else None
        once = [at for at in (time, timestamp, unchanged) if at is not None]
        rows = (*shape.data, *shape.before, *shape.key, *shape.watermark)
        used = [*rows, *once, *(_position(shape, name) for name in named)]
        place = {position: at for at, position in enumerate(dict.fromkeys(used))}
        return cls(headers, attributes, time, timestamp, place)

    def placed(self, shape: Shape, parts: templates.Template) -> FieldTemplate:
        return tuple(part if isinstance(part, str) else self.place[_position(shape, part.column)] for part in parts)


def attribute(stream: Stream, slot: Slot) -> templates.Template | None:
    """Return the template of one of the slots SOURCE, TYPE and SUBJECT; None if it has none.

    Raises:
        ConfigurationError: the template can't be parsed.
    """
    written = {
        Slot.SOURCE: ("event_source", stream.event_source, (stream.source,)),
        Slot.TYPE: ("event_type", stream.event_type, (stream.type,)),
        Slot.SUBJECT: ("subject", stream.subject, None),
    }
    name, template, default = written.get(slot, ("", None, None))
    return default if template is None else templates.parse(template, f"{name}=")


def constant(stream: Stream, slot: Slot) -> str | None:
    """Return the constant text of a slot; None if it varies by row.

    Raises:
        ConfigurationError: the template can't be parsed, or is empty.
    """
    parts = attribute(stream, slot)
    if parts is None or not _constant(parts):
        return None
    found = "".join(map(str, parts))
    if not found:
        raise EnvelopeError(f"stream {stream.name!r} has an empty event {slot}, which no CloudEvent may have")
    return attribute_texts(slot, [_utf8(found)])[0]


def text(value: str) -> str:
    """Return `value` as a JSON string, for use in a literal.

    Raises:
        EnvelopeError: it can't be written in UTF-8.
    """
    return quoted(_utf8(value))


def _utf8(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EnvelopeError(f"the name {value!r} holds half a surrogate pair, which UTF-8 can't carry") from error
    return value


def _field(at: int, column: Column) -> Field:
    return Field(at, column.name, column.kind, column.type, column.elements, column.checked)


def _fixed(name: str, parts: templates.Template) -> str:
    """Return the text of a header that is the same on every message."""
    found = "".join(map(str, parts))
    return cleaned(found) if name.startswith(HEADER) else found


def _constant(parts: templates.Template) -> bool:
    return all(isinstance(part, str) for part in parts)


def _position(shape: Shape, name: str) -> int:
    names = shape.named(range(len(shape.columns)))
    if name not in names:
        raise EnvelopeError(
            f"a template or timestamp_column names the column {name!r}, which is not read; there are"
            f" {', '.join(map(repr, names))}. Correct headers, subject, event_type, event_source or timestamp_column"
        )
    return names.index(name)


def _check_columns(shape: Shape, stream: Stream, fields: Iterable[Field]) -> None:
    counts = Counter(shape.named(shape.data))
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise EnvelopeError(
            f"the data of stream {stream.name!r} would hold the names {', '.join(map(repr, repeated))} more than once;"
            " give each column a name of its own with AS"
        )
    for name in counts:
        _utf8(name)
    for field in fields:
        if field.kind not in set(Kind) or (field.kind is Kind.ARRAY and field.elements is None):
            raise EnvelopeError(
                f"column {field.name!r} has the type {field.type!r}, which can't be carried;"
                f" read it as text with sql= and CAST({field.name} AS TEXT), or leave it out with exclude_columns"
            )
    for name, words in FORMATS.items():
        if (found := getattr(stream.formats, name)) not in words:
            raise EnvelopeError(f"{name}= must be one of {', '.join(map(repr, words))}; found {found!r}")


def _check_times(shape: Shape, time: int | None, timestamp: int | None) -> None:
    for at, use in ((time, "the row's time"), (timestamp, "the message timestamp")):
        if at is not None and shape.columns[at].kind not in TEMPORAL:
            raise EnvelopeError(f"column {shape.columns[at].name!r} is not a date or time, so it can't be {use}")


def _check_headers(names: list[str]) -> None:
    for name, count in Counter(map(_utf8, names)).items():
        if count > 1:
            raise EnvelopeError(
                f"the header {name!r} would be on a message more than once: the envelope writes it itself; give yours"
                " another name in headers="
            )
