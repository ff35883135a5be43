"""Rejected messages, on their way to the dead-letter topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_legacy_events.core.model import AnyHeaders, Batch, Messages, Rejection

INVALID_TIMESTAMP = "INVALID_TIMESTAMP"
"""Error name of a `Rejection` caused by the message's timestamp."""


def dead_letters(
    topic: str, stream: str, batch: Batch, messages: Messages, rejections: Sequence[Rejection]
) -> Messages:
    """Return the rejected messages with the dead-letter topic and headers that give the reason, else unchanged.

    A message that was rejected for its timestamp is sent without it.

    The headers are `legacy-events-stream`, `-key`, `-error` (the broker's name for it), `-reason` and `-position`
    (the row's watermark and key values, a JSON array).
    """
    at = [rejection.index for rejection in rejections]
    return Messages(
        topic,
        keys=[messages.keys[index] for index in at],
        values=[messages.values[index] for index in at],
        headers=messages.headers,
        each=[_headers(stream, batch, messages, rejection) for rejection in rejections],
        timestamps=None if messages.timestamps is None else [_timestamp(messages, one) for one in rejections],
    )


def timeless(letters: Messages, refused: Sequence[Rejection]) -> Messages:
    """Return dead letters without those timestamps that the dead-letter topic would refuse too."""
    late = {one.index for one in refused if one.error == INVALID_TIMESTAMP}
    if not late or letters.timestamps is None:
        return letters
    times = [None if at in late else time for at, time in enumerate(letters.timestamps)]
    return replace(letters, timestamps=times)


def _timestamp(messages: Messages, rejection: Rejection) -> int | None:
    """Return the timestamp, unless one topic has refused it: the next topic would refuse it too."""
    return None if rejection.error == INVALID_TIMESTAMP else messages.timestamp_of(rejection.index)


def _headers(stream: str, batch: Batch, messages: Messages, rejection: Rejection) -> AnyHeaders:
    shape, row = batch.shape, batch.rows[messages.row_of(rejection.index)]
    position = [_text(row[at]) for at in dict.fromkeys((*shape.watermark, *shape.key))]
    own = messages.each[rejection.index] if messages.each is not None else ()
    return (
        *own,
        ("legacy-events-stream", stream),
        ("legacy-events-key", messages.keys[rejection.index] or ""),
        ("legacy-events-error", rejection.error),
        ("legacy-events-reason", rejection.reason),
        ("legacy-events-position", json.dumps(position, ensure_ascii=False)),
    )


def _text(value: Any) -> str | None:
    return value.hex() if isinstance(value, bytes) else None if value is None else str(value)
