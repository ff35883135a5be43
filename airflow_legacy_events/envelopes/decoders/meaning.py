"""Meaning of one message, before any table is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.envelopes.decoders.wire import Wire

Fields: TypeAlias = Mapping[str, Wire | None]


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
        op: `UPSERT`, `DELETE` or `TRUNCATE`.
        fields: the row's values, by name; of a deleted row what is known of it.
        table: where the row comes from.
        unchanged: names of fields that the source left out because they did not change.
        old: former values of changed fields, where the message has those of a changed key.
        id: of the event; None if it has none.
        time: of the event, ISO 8601; likewise.
    """

    op: str
    fields: Fields
    table: TableOf = TableOf()
    unchanged: Sequence[str] = ()
    old: Fields | None = None
    id: str | None = None
    time: str | None = None


class NotUnderstoodError(Exception):
    """A message is not what its envelope promises.

    Attributes:
        error: `NOT_JSON`, `NO_KEY` or `VALUE`.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error


class Reader(Protocol):
    """Reads the messages of one envelope."""

    def read(self, received: Received, at: int) -> Meaning | None:
        """Return what a message says; None if it says nothing about rows.

        Raises:
            NotUnderstoodError: it is not what the envelope promises.
        """

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """Return the fields that a message's key holds.

        Args:
            key: of the message.
            names: of the fields, where the key has only their values.

        Raises:
            NotUnderstoodError: it is not what the envelope promises.
        """
