"""Rejection of a message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that was finally refused, by its envelope or the broker.

    Attributes:
        index: its place among the messages published since the last confirmation.
        error: the broker's name of the error, such as `MSG_SIZE_TOO_LARGE`.
        reason: a sentence without the message's content.
    """

    index: int
    error: str
    reason: str
