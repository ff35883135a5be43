"""Errors by remedy: each class says who has to act.

```
LegacyEventsError
├── ConfigurationError     fix the DAG or a connection
├── SourceError            the legacy database refused, or went away
│   ├── BusyError          another run holds the stream's lock
│   ├── SchemaChangedError the columns changed while they were read
│   └── HorizonError       rows have waited too long for an open transaction
├── EnvelopeError          a row can't be carried as it is
├── DeliveryError          the broker rejected messages, or their fate is unknown
├── WatermarkError         the stored watermark is lost, foreign, unreadable or moved by another writer
│   └── GapError           retention deleted records that were not read yet
├── CompletenessError      less completeness than required
├── ConnectError           the Kafka Connect cluster refused, failed or went away
│   └── ConnectorFailedError a connector or a task of it is FAILED: fix its cause, then restart it
└── StoppedError           the run received a stop request and ended between two batches
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_legacy_events.core.rejection import Rejection


class LegacyEventsError(Exception):
    """Base class of all errors that this package raises on purpose.

    Attributes:
        retry_helps: False if the same task would fail again until a person acts.
    """

    retry_helps = True


class ConfigurationError(LegacyEventsError):
    """The DAG or a connection requests something impossible: fix it there."""

    retry_helps = False


class SourceError(LegacyEventsError):
    """The source refused, failed or vanished; the watermark has not moved past what was delivered."""


class BusyError(SourceError):
    """Another run holds the lock of the stream.

    Attributes:
        holder: the run that holds it, as text for a person.
        healthy: whether the holder's heartbeat is within its lease; None if that can't be seen.
    """

    def __init__(self, message: str, *, holder: str, healthy: bool | None) -> None:
        super().__init__(message)
        self.holder = holder
        self.healthy = healthy


class SchemaChangedError(SourceError):
    """A page has different columns than the run expects; nothing of it was sent."""


class HorizonError(SourceError):
    """Rows have waited longer for an open transaction than the operator allows; all others are delivered and saved.

    Attributes:
        blocker: the session or prepared transaction; see `core.model.HeldBack`. None if it can't be seen.
    """

    def __init__(self, message: str, *, blocker: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.blocker = blocker


class EnvelopeError(LegacyEventsError):
    """A row can't be turned into a message; the message names the column and the remedy, never the value."""

    retry_helps = False


class DeliveryError(LegacyEventsError):
    """The broker rejected messages, or their fate is unknown.

    Attributes:
        rejected: the messages that were finally rejected; empty if their fate is unknown.
    """

    def __init__(self, message: str, *, rejected: Sequence[Rejection] = ()) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)


class TargetError(LegacyEventsError):
    """The database that a topic is applied to refused, failed or vanished; nothing of the batch was applied."""

    def __init__(self, message: str, *, retry_helps: bool = False) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps


class WatermarkError(LegacyEventsError):
    """The stored watermark can't be used: it is unreadable, lost, of another server or topic, or moved meanwhile."""

    def __init__(self, message: str, *, retry_helps: bool = False) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps


class GapError(WatermarkError):
    """A topic does not hold the next record of a position any more: retention, or a person, deleted it.

    Attributes:
        topic: that was read.
        partition: number of the partition.
        start: offset of the first record that is left.
    """

    def __init__(self, message: str, *, topic: str, partition: int, start: int) -> None:
        super().__init__(message)
        self.topic, self.partition, self.start = topic, partition, start


class CompletenessError(LegacyEventsError):
    """The completeness required by the operator can't be reached here."""

    retry_helps = False


class ConnectError(LegacyEventsError):
    """The Kafka Connect cluster refused, failed or went away.

    Attributes:
        status: the HTTP status of the answer; None if there was none.
    """

    def __init__(self, message: str, *, retry_helps: bool = True, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps
        self.status = status


class ConnectorFailedError(ConnectError):
    """A connector, or a task of it, is FAILED: fix its cause, then restart it.

    Attributes:
        trace: what Kafka Connect gives as the reason, without secrets; empty if it gives none.
    """

    def __init__(self, message: str, *, trace: str = "", retry_helps: bool = False) -> None:
        super().__init__(message, retry_helps=retry_helps)
        self.trace = trace


class StoppedError(LegacyEventsError):
    """The run received a stop request; what was confirmed is saved, and the next run continues from there."""
