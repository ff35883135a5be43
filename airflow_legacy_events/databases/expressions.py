"""Expressions in SQL whose values one SELECT without a table returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.ports import Database


def values_of(database: Database, expressions: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of expressions in the database's own SQL, as `Database.read` returns them.

    Raises:
        SourceError: the database can't be reached or refused the statement.
    """
    columns: list[sa.Label[Any]] = [sa.literal_column(text).label(f"c{at}") for at, text in enumerate(expressions)]
    [found] = database.read(sa.select(*columns))
    return found
