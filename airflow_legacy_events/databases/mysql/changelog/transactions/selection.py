"""Which tables take part in a transaction."""

from __future__ import annotations

from collections.abc import Collection

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.model import Forms


class Selection:
    """Says which tables' changes are numbered and delivered.

    A transaction that was delivered in part is numbered by the tables that the stream had then: one that has joined
    since is left out of it.

    Args:
        forms: what is known of the tables.
        tables: all tables of the stream.

    Attributes:
        tables: all tables of the stream, in order.
        all: the same, as a set.
        left: whether a table was met that numbered the transaction and has left the stream since.
    """

    def __init__(self, forms: Forms, tables: Collection[TableName]) -> None:
        self._forms, self.tables, self.all = forms, sorted(tables), frozenset(tables)
        self._counted: frozenset[TableName] | None = None
        self.left = False

    def count(self, tables: frozenset[TableName] | None) -> None:
        """Have changes numbered by these tables; None: by those of the stream."""
        self._counted, self.left = tables, False

    def takes(self, database: str, table: str) -> bool:
        """Whether changes of a table, as the log names it, are delivered."""
        return self.of(database, table) is not None

    def of(self, database: str, table: str) -> TableName | None:
        """Return the table whose changes are delivered, None if they are not."""
        wanted = self._forms.wanted(database, table)
        if self._counted is None:
            return wanted
        if wanted is None and TableName(database, table) in self._counted:
            self.left = True
        return wanted if wanted in self._counted else None

    def counts(self, table: TableName) -> bool:
        """Whether what happens to a table of the stream is delivered."""
        return self._counted is None or table in self._counted
