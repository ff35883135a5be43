"""Snapshots: one at a time per session, begun and ended by its own statements."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.base import Session, SqlDatabase

_DOING = "holding a snapshot"


class SnapshotDatabase(SqlDatabase[Session]):
    """A database whose snapshot is one transaction. Nested snapshots join the outer one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_snapshot = False

    def _forget_session(self) -> None:
        super()._forget_session()
        self._in_snapshot = False

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `core.ports.Database.snapshot`; where `holds_snapshot` is False, no snapshot is held."""
        if not self.holds_snapshot or self._in_snapshot:
            yield
            return
        with self._using(_DOING) as session:
            self._begin_snapshot(session)
        self._in_snapshot = True
        try:
            yield
        finally:
            self._in_snapshot = False
            with contextlib.suppress(SourceError), self._using(_DOING) as session:
                self._end_snapshot(session)

    @abstractmethod
    def _begin_snapshot(self, session: Session) -> None:
        """Begin a transaction in which every read sees the same state of the data."""

    @abstractmethod
    def _end_snapshot(self, session: Session) -> None:
        """End that transaction."""
