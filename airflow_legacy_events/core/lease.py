"""Fencing: a batch is published only if the stream's lock was recently verified as ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from airflow_legacy_events.core.model import Messages, Rejection
from airflow_legacy_events.core.ports import Answer, Broker, Lease

PROOF_SECONDS = 7.0
"""Validity of a lock check: less than half of the 15 s after which others may consider the holder dead."""


def _since_boot() -> float:
    """Return seconds of a clock that also runs during suspend, where there is one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class ProvedLease:
    """A lease that knows the age of its last check.

    A process may be paused without noticing, alone or with its whole machine. After a pause of the process both clocks
    have moved on. After the migration of a virtual machine perhaps only the wall clock has been corrected.

    Args:
        lease: of the stream's lock; every successful call counts as a check, from the time it began.
        clocks: each returns seconds; the one that has advanced most counts.
    """

    def __init__(self, lease: Lease, clocks: Sequence[Callable[[], float]] = (_since_boot, time.time)) -> None:
        self._lease, self._clocks = lease, tuple(clocks)
        self._proved: list[float] | None = None

    def check(self) -> None:
        """See `core.ports.Lease.check`."""
        now, self._proved = self._now(), None
        self._lease.check()
        self._proved = now

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`."""
        now, self._proved = self._now(), None
        answers = self._lease.execute(statements)
        self._proved = now
        return answers

    def prove(self) -> None:
        """Check the lease unless it was checked within the last 7 s.

        Raises:
            SourceError: as `check`.
        """
        if self._proved is None or max(map(float.__sub__, self._now(), self._proved)) >= PROOF_SECONDS:
            self.check()

    def _now(self) -> list[float]:
        return [float(clock()) for clock in self._clocks]


class FencedBroker:
    """A broker that accepts messages only after a check of the lease.

    Args:
        broker: receives the messages.
        lease: checked before each publish.
    """

    def __init__(self, broker: Broker, lease: ProvedLease) -> None:
        self._broker, self._lease = broker, lease

    def require(self, topics: Sequence[str]) -> None:
        """See `core.ports.Broker.require`."""
        self._broker.require(topics)

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        """See `core.ports.Broker.compacted`."""
        return self._broker.compacted(topics)

    def topic_id(self, topic: str) -> str | None:
        """See `core.ports.Broker.topic_id`."""
        return self._broker.topic_id(topic)

    def partitions(self, topic: str) -> int:
        """See `core.ports.Broker.partitions`."""
        return self._broker.partitions(topic)

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """See `core.ports.Broker.refused`."""
        return self._broker.refused(messages)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """See `core.ports.Broker.publish`.

        Raises:
            SourceError: the lock is lost; none of the messages was sent.
        """
        self._lease.prove()
        self._broker.publish(messages, left_out)

    def confirm(self) -> Sequence[Rejection]:
        """See `core.ports.Broker.confirm`."""
        return self._broker.confirm()

    def remade(self) -> Sequence[str]:
        """See `core.ports.Broker.remade`."""
        return self._broker.remade()
