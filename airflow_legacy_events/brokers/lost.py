"""Errors for positions that a partition's log does not have, worded alike for every broker."""

from __future__ import annotations

from airflow_legacy_events.core.errors import GapError, WatermarkError
from airflow_legacy_events.core.ports import Partition, ReadPosition

_SET = "airflow legacy-events watermark set STREAM"


def passed(one: Partition, at: ReadPosition, start: int) -> GapError:
    """Return the error for a position below the log."""
    return GapError(
        f"{_name(one)} lost {start - at.offset} offsets that were not read: retention or a person deleted those from"
        f" {at.offset} to {start - 1}.\nContinue at what is left with on_gap='skip', or choose an offset with"
        f" `{_SET}`",
        topic=one.topic,
        partition=one.number,
        start=start,
    )


def beyond(one: Partition, at: ReadPosition, high: int) -> WatermarkError:
    """Return the error for a position behind the log's end."""
    return WatermarkError(
        f"{_name(one)} ends at offset {high}, but the stored position is {at.offset}: the log was cut, or it is"
        f" another one.\nChoose where to continue with `{_SET}`; what was read from {high} to {at.offset - 1} is not"
        " on the topic any more"
    )


def differs(one: Partition, at: ReadPosition, first: int) -> WatermarkError:
    """Return the error for a log that was cut below a position, and filled again.

    Args:
        one: the partition.
        at: the position.
        first: offset of the first record that may be another one than was read.
    """
    return WatermarkError(
        f"{_name(one)} was cut and filled again: from offset {first} on it holds other records than those that were"
        f" read up to {at.offset}.\nRead them with `{_SET}`, to offset {first}; records that were lost by the broker"
        " are not on the topic any more"
    )


def remade(topic: str) -> WatermarkError:
    """Return the error for a topic that is another one than at the beginning of the run."""
    return WatermarkError(
        f"topic {topic!r} was deleted and made again while it was read.\nThe messages of this batch were not used; to"
        " read the new topic from its beginning: `airflow legacy-events watermark forget STREAM`"
    )


def _name(one: Partition) -> str:
    return f"partition {one.number} of topic {one.topic!r}"
