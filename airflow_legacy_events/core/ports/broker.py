"""Where messages go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from airflow_legacy_events.core.model import Messages, Rejection


@runtime_checkable
class Broker(Protocol):
    """Where messages go."""

    def publish(self, messages: Messages) -> None:
        """Hand all messages over, in order; blocks while the broker's queue is full, never drops.

        Raises:
            DeliveryError: they can't be handed over.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def confirm(self) -> Sequence[Rejection]:
        """Wait until everything handed over since the last call is decided; return what was rejected.

        A message is called rejected only after it was refused when sent singly. Empty means: all acknowledged.

        Raises:
            DeliveryError: the fate of a message is unknown (timed out, purged), or the broker failed as a whole.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """
