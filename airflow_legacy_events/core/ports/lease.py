"""Sessions of a database beside those that read: the lease of a stream's lock, and listeners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Lease(Protocol):
    """A held lock of a stream."""

    def check(self) -> None:
        """Check that the lock is still ours, as the source itself sees it.

        Raises:
            SourceError: the lock's session is gone; another session may hold the lock by now.
        """

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """Run statements in one transaction on a writable session; it commits only while the lock is ours.

        The transaction is READ COMMITTED where the database allows it. After a deadlock it is retried from the first
        statement.

        Args:
            statements: of SQLAlchemy; together they lock about a thousand rows at most. One may be a function that
                makes the statement from the previous answers; if it returns None, its answer is empty.

        Returns:
            The answer to each statement, in order. Rows have the form that `Database.read` returns.

        Raises:
            SourceError: the lock is lost, or a statement failed; nothing was changed. If the answer to the commit
                itself was lost, the outcome is unknown.
        """


class Listener(Protocol):
    """A session that listens to a channel of notifications."""

    def wait(self) -> bool:
        """Wait for notifications and return True, once for all that arrived since; False once the listener was ended.

        Raises:
            SourceError: the session is lost, and with it the notifications sent meanwhile.
        """

    def end(self) -> None:
        """Make `wait` return False, including a running call; may be called from any thread."""


class Answer(NamedTuple):
    """Result of a statement.

    Attributes:
        rows: tuples as `Database.read` returns them; empty for a statement that returns none.
        number: of rows returned, changed or deleted.
    """

    rows: list[tuple[Any, ...]]
    number: int
