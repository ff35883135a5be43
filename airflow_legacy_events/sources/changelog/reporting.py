"""What a run read of its log, for the report."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.model import LogState
from airflow_legacy_events.sources.changelog.run import LogRun


def described(run: LogRun | None, begin: str | None, end: str | None, state: LogState) -> dict[str, Any]:
    """Return it as plain JSON; see `core.ports.LogSource`.

    Args:
        run: what was opened; None if it was not.
        begin: place of the watermark at the start; None on a first run.
        end: place of the last saved watermark.
        state: of the log now.
    """
    return {
        "from": begin,
        "to": end,
        "bytes": 0 if run is None else run.drain.read.bytes,
        "transactions": 0 if run is None else run.drain.read.transactions,
        "lag_bytes": state.lag_bytes,
        "held_bytes": state.held_bytes,
        "held_by": None if state.held_by is None else dict(state.held_by),
        "wal_status": state.status,
        "slot": state.slot,
        "snapshot_left": [] if run is None else run.progress.left(),
    }
