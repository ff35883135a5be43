"""Ways out that the verdict on a PostgreSQL stream names."""

from __future__ import annotations

import re

from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.entries import TABLE
from airflow_legacy_events.databases.postgres.written import Writing

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


def instead(facts: Writing) -> str:
    """Return which stream would need no assumption."""
    if facts.kind == TABLE:
        return "watermark_columns=['xmin'] misses nothing"
    return "watermark_columns=['xmin'] on a plain table misses nothing"


def spelled(column: str) -> str:
    """Return a column's name for a statement that a person runs."""
    return column if _PLAIN.fullmatch(column) else quoted(None, column)
