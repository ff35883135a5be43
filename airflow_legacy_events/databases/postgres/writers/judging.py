"""How complete a PostgreSQL stream is below its horizon, and why."""

from __future__ import annotations

from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.ports import Written


def judged(of: Written) -> tuple[str, str]:
    """Return completeness and reason; see `core.ports.RowWriters`."""
    name = of.column.name
    if of.column.kind in TEMPORAL:
        return "bounded", f"no writer gives column {name!r} a time before its statement began"
    return "bounded", f"each writer takes its value of column {name!r} in the transaction that inserts the row"
