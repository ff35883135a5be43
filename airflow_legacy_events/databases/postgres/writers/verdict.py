"""A verdict on the completeness of a PostgreSQL stream."""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.entries import TABLE
from airflow_legacy_events.databases.postgres.written import Writing

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
BEST_EFFORT, BOUNDED = "best_effort", "bounded"


class Verdict(NamedTuple):
    """Completeness, and the assumption or known gap behind it."""

    completeness: str
    reason: str


def gap(why: str, way_out: str) -> Verdict:
    """Return the verdict that rows may be missed.

    Args:
        why: the known gap.
        way_out: a sentence, on a line of its own.
    """
    return Verdict(BEST_EFFORT, f"{why}; a row that commits below the watermark may be missed\n{way_out}")


def instead(facts: Writing) -> str:
    """Return which stream would need no assumption."""
    if facts.kind == TABLE:
        return "watermark_columns=['xmin'] misses nothing"
    return "watermark_columns=['xmin'] on a plain table misses nothing"


def spelled(column: str) -> str:
    """Return a column's name for a statement that a person runs."""
    return column if _PLAIN.fullmatch(column) else quoted(None, column)
