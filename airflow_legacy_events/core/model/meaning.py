"""Meaning of one message of a topic, before any table is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Form(StrEnum):
    """What a JSON value is."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DOCUMENT = "document"


class Wire(NamedTuple):
    """A JSON value other than null, as it was written: a number keeps its digits, a document its text.

    Attributes:
        form: what it is.
        text: of a text, what it says; else the JSON text as it was written.
    """

    form: Form
    text: str


Fields: TypeAlias = Mapping[str, Wire | None]
"""Values of a row by name; None is null."""


class TableOf(NamedTuple):
    """Table that a change comes from, as far as its message says.

    Attributes:
        name: of the table.
        schema: that it is in.
        database: likewise.
    """

    name: str | None = None
    schema: str | None = None
    database: str | None = None


class Meaning(NamedTuple):
    """What a message says.

    Attributes:
        op: `UPSERT`, `DELETE` or `TRUNCATE`; `STARTED` if a snapshot of the table begins.
        fields: the row's values, by name; of a deleted row what is known of it.
        table: where the row comes from.
        unchanged: names of fields that the source left out because they did not change.
        old: former values of changed fields, where the message has those of a changed key.
        new: of a delete, the key that its row has from now on, where the message has it.
        second: whether a delete with `new` precedes the message, so that both are one change of a key.
        id: of the event; None if it has none.
        time: of the event, ISO 8601; likewise.
        said: what the message calls it: `c`, `u`, `r` or `d`; None if it does not say.
        snapshot: name of the snapshot that read the row, "" if it has none; None for a change.
        begins: whether a snapshot begins there.
        typed: whether the values are what they seem; else a number may stand for a time, or base64 for a decimal, and
            the decoder's `reading` or the user says what the column holds.
    """

    op: str
    fields: Fields
    table: TableOf = TableOf()
    unchanged: Sequence[str] = ()
    old: Fields | None = None
    new: Fields | None = None
    second: bool = False
    id: str | None = None
    time: str | None = None
    said: str | None = None
    snapshot: str | None = None
    begins: bool = False
    typed: bool = True
