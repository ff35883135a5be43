"""Finds the transaction that was delivered in part, and numbers it as it was numbered before."""

from __future__ import annotations

from airflow_legacy_events.core.model.log import LogPosition, TableName
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.delivery import name_of
from airflow_legacy_events.databases.mysql.changelog.transactions.selection import Selection
from airflow_legacy_events.databases.mysql.changelog.transactions.state import State
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import Transaction


class Resumed:
    """The transaction that a position is inside of.

    Args:
        access: for messages.
        after: the position.
        state: of the log there.
        selection: the tables of the stream.

    Attributes:
        changes: of it that were delivered; 0 once it was found, and if there is none.
    """

    def __init__(self, access: BinlogAccess, after: LogPosition, state: State, selection: Selection) -> None:
        self._access, self._after, self._selection = access, after, selection
        self.changes = after.changes
        self._name = None if state.counted is None else state.counted[0]
        self._tables = None if state.counted is None else state.counted[1]
        if self.changes:
            selection.count(self._tables)

    def found(self, one: Transaction, *, elsewhere: bool) -> bool:
        """Whether it is this transaction; it has the same name on every server of a history.

        Args:
            one: the next transaction.
            elsewhere: whether the log is that of another server, where others may stand before it.

        Raises:
            SourceError: the log has another transaction there.
        """
        if not self.changes:
            return False
        found = name_of(one) == self._name if self._name else text_of(one.place) == self._after.place
        if not found and not elsewhere:
            raise failures.changed(self._access.conn_id, one.place)
        return found

    def take(self, rows: Transaction | None) -> tuple[int, frozenset[TableName]]:
        """Return how many of its changes were delivered, and the tables that number it.

        Args:
            rows: the transaction that holds its rows.
        """
        delivered, self.changes = self.changes, 0
        if not self._selection.left or rows is None:
            return delivered, self._tables or self._selection.all
        self._access.log.warning(
            "a table has left the stream that had changes in the transaction at %s, which was sent in part: its"
            " changes are sent again, with other numbers",
            text_of(rows.place),
        )
        self._selection.count(None)
        rows.events, rows.matters = None, True
        return 0, self._selection.all
