"""Ceiling of a run: the database's now less a lag, and below local times that its clock will repeat."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model import Ceiling
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.folds import Fold, folds


def find_ceiling(database: Database, of: Column, *, lag_seconds: float | None, timezone: str) -> Ceiling:
    """Return the upper bound of the first position column.

    Each condition may read the database's clock again. The end of a fold is therefore compared before the column's
    bound, and its begin after it. A fold that begins or ends meanwhile then counts as in progress.

    Args:
        database: whose clock counts.
        of: the column.
        lag_seconds: seconds, 0 or more; None for a column that is not a time and has no bound.
        timezone: name of the zone of a naive column.
    """
    column: Any = sa.column(of.name)
    database.timed(of)
    if lag_seconds is None:
        return database.ceiling(column, of, lag_seconds=None, timezone=timezone)
    held = _folds(of.kind, lag_seconds, timezone)
    over = [database.reached(fold.end, lag_seconds) for fold in held]
    ceiling = database.ceiling(column, of, lag_seconds=lag_seconds, timezone=timezone)
    begun = [database.reached(fold.begin, lag_seconds) for fold in held]
    conditions = [ceiling.condition]
    for fold, is_over, has_begun in zip(held, over, begun, strict=True):
        low = database.bind(str(fold.low.date() if of.kind is Kind.DATE else fold.low), of)
        again = database.beyond([column], [low], inclusive=True)
        conditions.append(sa.or_(sa.not_(has_begun), is_over, sa.not_(again)))
    return ceiling._replace(condition=sa.and_(*conditions))


def _folds(kind: Kind, lag_seconds: float, timezone: str) -> list[Fold]:
    """Return the folds that affect a column of the kind."""
    if kind is Kind.INSTANT:
        return []
    around = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lag_seconds)
    found = folds(zone_named(timezone), around)
    if kind is not Kind.DATE:
        return found
    return [fold for fold in found if (fold.high - dt.timedelta.resolution).date() > fold.low.date()]
