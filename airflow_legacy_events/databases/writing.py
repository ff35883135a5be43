"""Transactions that write, on behalf of whoever holds a stream's lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.errors import one_line

_TRIES = 5
_LONGEST_PAUSE_SECONDS = 0.1


def retried(transaction: Callable[[], list[Answer]], is_deadlock: Callable[[Exception], bool]) -> list[Answer]:
    """Return what a transaction gives, tried again from its beginning where the database sacrificed it to another.

    Args:
        transaction: has changed nothing where it raises.
        is_deadlock: whether an error of the driver says so.
    """
    for _ in range(_TRIES - 1):
        try:
            return transaction()
        except Exception as error:
            if not is_deadlock(error):
                raise
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  no secret; apart from the other one
    return transaction()


def not_written(stream: str, reason: object) -> SourceError:
    """Return the error for a transaction that failed, `reason` without values of rows."""
    return SourceError(
        f"what stream {stream!r} acknowledges at its source could not be written: {one_line(reason)}. What was"
        " delivered is saved; the next run acknowledges it again"
    )
