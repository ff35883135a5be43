"""Full load of rows without a key, as one stream from one snapshot."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.copies import CopiesBySum
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.query.bulk import BulkRun
from airflow_legacy_events.sources.query.storage import Storage
from airflow_legacy_events.sources.rows import BATCH_BYTES


@dataclass
class KeylessLoad(BulkRun):
    """Full load that restarts from its beginning, under the same number, when it did not finish.

    Without a key no position survives its snapshot. Each start numbers equal rows from 1, so rows that are sent again
    have the ids that they had.
    """

    def _beginning(self, load: Mapping[str, Any]) -> Start:  # noqa: ARG002
        return Start(())

    def _pages(self, number: int, at: Start) -> Generator[Batch, None, str | None]:  # noqa: ARG002
        """Yield all rows of a snapshot; return what changed under it, None if nothing did."""
        storage, shape, copies = Storage(self.rows), self.rows.selection.shape, CopiesBySum()
        changed: str | None = None
        try:
            with self.rows.database.stream(self.rows.every(), self.limits.page_rows, BATCH_BYTES) as pages:
                for page in pages:
                    if (changed := storage.exchanged()) is not None:
                        break
                    yield Batch(shape, page, len(page), Watermark((), None, {}), "r", number, copies=copies)
                else:
                    changed = storage.exchanged()
        except SourceError as error:
            return self._renewed(error)
        if changed is not None and self.rows.renewal is not None:
            self.rows = self.rows.renewal.again(self.rows)
        return changed
