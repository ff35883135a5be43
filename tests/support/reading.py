"""Sources whose batches are asked for after they were opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_legacy_events.core.model import Batch, Opened
from airflow_legacy_events.sources.query import QuerySource
from tests.support.fakes import OutboxSource


class _Opened(Opened):
    """What was opened, with the attributes of its horizon."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.horizon, name)


class _Reading:
    """Keeps what `open` returns for `batches`."""

    def open(self, at: Any, window: Any = None) -> Any:
        self._opened = _Opened(*super().open(at, window))  # type: ignore[misc]
        return self._opened

    def batches(self) -> Iterator[Batch]:
        return self._opened.batches


class ReadSource(_Reading, QuerySource):
    """A query source."""


class ReadOutbox(_Reading, OutboxSource):
    """The fake outbox."""
