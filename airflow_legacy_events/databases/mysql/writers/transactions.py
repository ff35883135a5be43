"""Open transaction of InnoDB."""

from __future__ import annotations

from typing import NamedTuple

_UNNUMBERED = 2**48


class Transaction(NamedTuple):
    """Transaction that has begun and not ended.

    Attributes:
        id: a number that no later transaction gets, if `is_numbered`.
        thread: number of its session; 0 for a prepared one whose session has left it.
        started: when it began, in the zone of the server's operating system; only equal or not. None: not reported.
        changed: whether it has changed or locked anything.
        read_only: whether it can't change anything; False if that is not reported.
    """

    id: str
    thread: int
    started: str | None
    changed: bool
    read_only: bool = False

    @property
    def is_numbered(self) -> bool:
        """Whether it has a number of its own: servers since MySQL 5.7 number a transaction at its first change."""
        return self.id.isdecimal() and 0 < int(self.id) < _UNNUMBERED
