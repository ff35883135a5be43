"""Rows above the horizon of a run over row versions: another transaction, perhaps of another table, is open still."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model import PENDING_ROWS, HeldBack
from airflow_legacy_events.core.ports import RowVersions, VersionHorizon
from airflow_legacy_events.sources.rows import BATCH_BYTES, Rows

_BLOCKS = 1 << 10
"""Rows are counted in so many blocks at the end of the file, where most new ones are: a run must not scan it twice."""


def find_held_back(rows: Rows, versions: RowVersions, horizon: VersionHorizon) -> HeldBack | None:
    """Return the visible rows at the end of the file that were written above the horizon; None if there are none."""
    found = None if horizon.ended >= horizon.next else versions.blocker()
    if found is None:
        return None
    storage = versions.storage()
    places = versions.places(versions.ahead_of(max(storage.blocks - _BLOCKS, 0)), storage.blocks)
    written = rows.every().where(*places, versions.written(horizon.ended, horizon.next))
    one = written.with_only_columns(sa.literal_column("1").label("one")).limit(PENDING_ROWS)
    counted: Any = sa.select(sa.func.count()).select_from(one.subquery("counted"))
    ((number,),) = rows.database.read(counted, BATCH_BYTES)
    if not int(number):
        return None
    seconds = None if found.seconds is None else round(found.seconds, 3)
    return HeldBack(int(number), seconds, "open_transaction", found.blocker._asdict())
