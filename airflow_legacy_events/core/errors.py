"""Errors by remedy: each class says who has to act.

```
LegacyEventsError
├── ConfigurationError     fix the DAG or a connection
├── SourceError            the legacy database said no, or went away
│   ├── BusyError          another run holds the stream's lock
│   └── SchemaChangedError the columns changed while they were read
├── EnvelopeError          a row can't be carried as it is
├── DeliveryError          the broker rejected messages, or their fate is unknown
├── WatermarkError         the stored watermark is lost, foreign, unreadable or moved by somebody else
├── CompletenessError      less completeness than was asked for
└── StoppedError           the run was asked to stop and ended at a batch border
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_legacy_events.core.model import Rejection


class LegacyEventsError(Exception):
    """Root of all errors that this package raises on purpose.

    Attributes:
        retry_helps: False where the same task would fail again until a person acts.
    """

    retry_helps = True


class ConfigurationError(LegacyEventsError):
    """The DAG or a connection asks for what can't be: fix it there."""

    retry_helps = False


class SourceError(LegacyEventsError):
    """The source refused, failed or vanished; the watermark has not moved past what was delivered."""


class BusyError(SourceError):
    """Another run holds the lock of the stream.

    Attributes:
        holder: the run that holds it, as text for a person.
        healthy: whether the holder has shown life within its lease; None when that can't be seen.
    """

    def __init__(self, message: str, *, holder: str, healthy: bool | None) -> None:
        super().__init__(message)
        self.holder = holder
        self.healthy = healthy


class SchemaChangedError(SourceError):
    """A page gives other columns than the run was made for; nothing of it was sent."""


class EnvelopeError(LegacyEventsError):
    """A row can't be turned into a message; the message names the column and the remedy, never the value."""

    retry_helps = False


class DeliveryError(LegacyEventsError):
    """The broker rejected messages, or could not say what became of them.

    Attributes:
        rejected: the messages that were rejected for good; empty when their fate is unknown.
    """

    def __init__(self, message: str, *, rejected: Sequence[Rejection] = ()) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)


class WatermarkError(LegacyEventsError):
    """The stored watermark can't be used: unreadable, lost, of another server or topic, or moved meanwhile."""

    def __init__(self, message: str, *, retry_helps: bool = False) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps


class CompletenessError(LegacyEventsError):
    """The completeness that the operator demands can't be reached here."""

    retry_helps = False


class StoppedError(LegacyEventsError):
    """The run was asked to stop; what was confirmed is saved, the next run goes on from there."""
