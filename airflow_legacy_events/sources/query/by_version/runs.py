"""Runs of a source that reads by row versions."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_legacy_events.core.model import Opened, Watermark
from airflow_legacy_events.core.ports import RowVersions
from airflow_legacy_events.sources.query.by_version.run import VersionRun
from airflow_legacy_events.sources.query.runs import Runs


@dataclass(frozen=True, kw_only=True)
class VersionRuns(Runs):
    """Creates the live runs of one source; there are no others.

    Attributes:
        versions: of the table.
    """

    versions: RowVersions

    def live(self, at: Watermark | None) -> VersionRun:  # type: ignore[override]
        """See `Runs.live`."""
        now = self.first_run == "now"
        return VersionRun(self.rows, self.versions, at, now, self.limits, self.rows.stream, self.log)

    def open_live(self, at: Watermark | None) -> tuple[Opened, Watermark | None, bool]:
        """See `Runs.open_live`; a version says by itself that it is new, so nothing below the watermark is judged."""
        return self.live(at).open(), at, False
