"""Payload of a batch: what its rows become on their way, such as messages of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from airflow_legacy_events.core.model.batch import Batch


class Payload(Protocol):
    """What the rows of a batch become; a delivery knows which kind it takes."""

    @property
    def longest(self) -> int:
        """Upper bound of the bytes of one part, in memory beside its rows."""

    def checked(self, batch: Batch) -> Self:
        """Return the payload if it holds every row of the batch.

        Raises:
            EnvelopeError: it does not; nothing was delivered.
        """

    def repeated(self, mode: str) -> None:
        """Mark the payload as one that is sent again, by what: `replay`, for instance."""
