"""How complete a MySQL or MariaDB stream is below its horizon, and why."""

from __future__ import annotations

from airflow_legacy_events.core.ports import Written

GRANT = "GRANT PROCESS ON *.* TO {user}"


def judged(of: Written) -> tuple[str, str]:
    """Return completeness and reason; see `core.ports.RowWriters`."""
    return "best_effort", f"the catalog does not say where the values of column {of.column.name!r} come from"
