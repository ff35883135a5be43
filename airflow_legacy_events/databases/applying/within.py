"""What applying changes needs of an open transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.databases.applying.session import WriteSession


class Within(Protocol):
    """An open transaction.

    Attributes:
        session: that it is in.
        keys_per_statement: how many key values one statement names at most.
        rechecks_inserts: whether another writer may insert a key between our look and our INSERT.
    """

    session: WriteSession
    keys_per_statement: int
    rechecks_inserts: bool

    @property
    def trusts_triggers(self) -> bool:
        """Whether no trigger of the database can keep a row out without an error."""

    @property
    def connection(self) -> sa.Connection:
        """The connection of the transaction."""

    def savepoint(self) -> AbstractContextManager[None]:
        """See `core.ports.target.Unit.savepoint`."""

    def holds(self, shape: TargetShape) -> bool:
        """See `core.ports.target.Unit.holds`."""
