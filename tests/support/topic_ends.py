"""Ends of partitions for readers of committed messages."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

_MARK_SECONDS = 2.0
"""How long the mark of a commit may take; a transaction that is open for longer is not waited for."""


def committed_ends(bootstrap: str, partitions: Sequence[TopicPartition]) -> dict[tuple[str, int], int]:
    """Return the offset behind the last committed message of each partition, by topic and number.

    A commit is answered before the broker has written its mark to the partitions: until then the end of what is
    committed lies before the transaction.

    Args:
        bootstrap: of the broker; a client of its own is made, since an older one may not get over a restart of it.
        partitions: of topics that are there.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    written = _ends(admin, partitions, IsolationLevel.READ_UNCOMMITTED)
    until = time.monotonic() + _MARK_SECONDS
    while True:
        found = _ends(admin, partitions, IsolationLevel.READ_COMMITTED)
        if all(found[one] >= end for one, end in written.items()) or time.monotonic() > until:
            return found


def _ends(
    admin: AdminClient, partitions: Sequence[TopicPartition], isolation: IsolationLevel
) -> dict[tuple[str, int], int]:
    asked = {TopicPartition(one.topic, one.partition): OffsetSpec.latest() for one in partitions}
    found = admin.list_offsets(asked, isolation_level=isolation, request_timeout=30)
    return {(one.topic, one.partition): future.result(30).offset for one, future in found.items()}
