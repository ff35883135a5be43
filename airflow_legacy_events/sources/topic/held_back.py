"""Messages behind open transactions of producers, which a later run reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from airflow_legacy_events.core.model import PENDING_ROWS, HeldBack
from airflow_legacy_events.core.ports.reader import Extent, Reader
from airflow_legacy_events.core.ports.topic_ends import Partition

HANGING_SECONDS = 900.0
"""From here on, a transaction is a warning: it is the longest time that brokers allow a transaction by default."""

_SHOWN = 5


class Open(NamedTuple):
    """A partition with an open transaction.

    Attributes:
        partition: with it.
        offset: of its first record.
        seconds: since that was written; None if unknown.
    """

    partition: Partition
    offset: int
    seconds: float | None


def open_ones(reader: Reader, extents: Mapping[Partition, Extent], now: int) -> list[Open]:
    """Return the partitions with open transactions, the oldest first; no request is sent if there are none."""
    ends = {one: extent.end for one, extent in extents.items() if extent.end < extent.high}
    moments = reader.moments(ends) if ends else {}
    ages = {one: None if (moment := moments.get(one)) is None else max(0, now - moment) / 1_000 for one in ends}
    return sorted((Open(one, ends[one], ages[one]) for one in ends), key=lambda one: (-(one.seconds or 0), one))


def held_back(found: list[Open], extents: Mapping[Partition, Extent]) -> HeldBack | None:
    """Return what the run leaves; None if no transaction is open. Its `rows` are offsets, control records included."""
    if not found:
        return None
    rows = sum(extents[one.partition].high - one.offset for one in found)
    first = found[0]
    blocker = {"topic": first.partition.topic, "partition": first.partition.number, "offset": first.offset}
    return HeldBack(min(rows, PENDING_ROWS), first.seconds, "open_transaction", blocker)


def statement(bootstrap: str, one: Partition) -> str:
    """Return the command that finds a transaction that hangs."""
    return (
        f"kafka-transactions.sh --bootstrap-server {bootstrap} find-hanging --topic {one.topic} --partition"
        f" {one.number}"
    )


def warn(log: logging.Logger, stream: str, bootstrap: str, found: list[Open]) -> None:
    """Log the transactions that are open for so long that their producers may be gone."""
    hanging = [one for one in found if (one.seconds or 0) >= HANGING_SECONDS]
    for one in hanging[:_SHOWN]:
        log.warning(
            "%s: a transaction of a producer is open for %.0f min at offset %s of partition %s of topic %r, and what"
            " lies behind it is not read. If its producer is gone, it ends only by a person:\n%s",
            stream,
            (one.seconds or 0) / 60,
            one.offset,
            one.partition.number,
            one.partition.topic,
            statement(bootstrap, one.partition),
        )
    if len(hanging) > _SHOWN:
        log.warning("%s: transactions hang in %s more partitions", stream, len(hanging) - _SHOWN)
