"""Tombstones: a key without a value, instead of a deleted row's message or behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from airflow_legacy_events.core.model import Batch, Messages
from airflow_legacy_events.envelopes.plan import Deletes

DELETED = "d"
_T = TypeVar("_T")


def with_tombstones(messages: Messages, batch: Batch, deletes: Deletes) -> Messages:
    """Return the messages of a batch with the tombstones of its deleted rows.

    A tombstone has the headers and the timestamp of the message that it replaces or follows.

    Args:
        messages: one for each row, in order.
        batch: of the rows.
        deletes: what is sent for a deleted row.
    """
    if deletes is Deletes.ROW or DELETED not in batch.op:
        return messages
    ops = [batch.op] * batch.count if isinstance(batch.op, str) else batch.op
    if deletes is Deletes.TOMBSTONE:
        values = [None if op == DELETED else value for op, value in zip(ops, messages.values, strict=True)]
        return replace(messages, values=values)
    places = [(at, last) for at, op in enumerate(ops) for last in ((False, True) if op == DELETED else (False,))]

    def of(column: Sequence[_T]) -> list[_T]:
        return [column[at] for at, _ in places]

    return replace(
        messages,
        keys=of(messages.keys),
        values=[None if last else messages.values[at] for at, last in places],
        each=None if messages.each is None else of(messages.each),
        timestamps=None if messages.timestamps is None else of(messages.timestamps),
        rows=[at for at, _ in places],
    )
