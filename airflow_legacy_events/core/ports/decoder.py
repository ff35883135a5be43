"""Decoder port: what the messages of one envelope mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import Fields, Meaning


class NotUnderstoodError(Exception):
    """A message is not what its envelope promises.

    Attributes:
        error: `NOT_JSON`, `NO_KEY`, `VALUE`, `INCOMPLETE` or `SIZE`.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error


@runtime_checkable
class Decoder(Protocol):
    """Reads the messages of one envelope.

    A decoder of meanings that are not `typed` may have a method `reading(column, types)`, which returns what makes a
    value of the column say its type, or None; the default is Debezium's, with the user's `epoch_unit` and
    `decimal_scales` as `types`.
    """

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
