"""Protocol of an object that looks up the columns of rows again; see `sources.renewal`."""

from __future__ import annotations

from typing import Protocol, TypeVar

from airflow_legacy_events.core.errors import SourceError

T = TypeVar("T")


class Renewing(Protocol[T]):
    """Looks up the columns of rows again."""

    def of(self, rows: T) -> T:
        """Return `rows` with the columns as last looked up."""

    def after(self, error: SourceError, rows: T) -> T:
        """Return `rows` with their current columns, after reading a page of them failed; or raise."""

    def again(self, rows: T) -> T:
        """Return `rows` with their current columns."""
