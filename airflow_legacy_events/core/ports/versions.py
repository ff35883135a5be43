"""Row versions port: which transaction wrote each row, and below which number every transaction has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports.writers import Blocker


class VersionHorizon(NamedTuple):
    """Transactions of a server at one moment.

    Attributes:
        ended: each transaction with a lower number has ended, so its rows are visible.
        next: number of the next transaction.
    """

    ended: int
    next: int


class VersionBlocker(NamedTuple):
    """Transaction that is open.

    Attributes:
        blocker: who it is.
        seconds: since it began, or was prepared, by the database's clock; None if this user may not see it.
    """

    blocker: Blocker
    seconds: float | None


class VersionStorage(NamedTuple):
    """Where the rows of a table are.

    Attributes:
        file: changes when the table is rewritten or emptied.
        blocks: size of the file.
    """

    file: str
    blocks: int


class RowVersions(Protocol):
    """Versions of the rows of one table, and their places in its file.

    Conditions are for a SELECT of the table. Numbers have 64 bits, those in rows 32: a row that is older than 2^32
    transactions may look like a new one, but none is overlooked.
    """

    @property
    def version(self) -> Column:
        """The system column with the version of a row."""

    @property
    def place(self) -> Column:
        """The system column with the place of a row in the file."""

    def refusal(self) -> str | None:
        """Return why the table has no versions of its own, such as a view; None if it has."""

    def horizon(self) -> VersionHorizon:
        """Return which transactions have ended by now."""

    def blocker(self) -> VersionBlocker | None:
        """Return the transaction, of any database of the server, that holds `VersionHorizon.ended` back, if any."""

    def storage(self) -> VersionStorage:
        """Return where the rows are now, even inside of a snapshot."""

    def written(self, low: int, high: int) -> Any:
        """Return the condition that a row was written by one of the transactions from `low` to below `high`."""

    def written_before(self, high: int) -> Any:
        """Return the condition that a row was written before the transaction `high`, whenever that was."""

    def places(self, after: str | None, block: int) -> Sequence[Any]:
        """Return the conditions that a row lies behind the place `after`, None: any, and before a block."""

    def block_of(self, place: str) -> int:
        """Return the block of a place."""

    def ahead_of(self, block: int) -> str:
        """Return the place ahead of all rows of a block."""
