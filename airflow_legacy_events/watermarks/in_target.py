"""Positions in a target, in the rows of `table.TableWatermarkStore`, moved in the transaction of the applied rows."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports.target import ObjectionError, Unit
from airflow_legacy_events.watermarks.saving import verify
from airflow_legacy_events.watermarks.table import (
    POSITIONS,
    TABLE,
    WIDEN,
    TableWatermarkStore,
    content_of,
    id_of,
)

_TOO_LONG = ("22", "1406", "SQLITE_TOOBIG")


class TargetPositions:
    """See `core.ports.target.PositionStore`.

    Each save changes the row that the run has loaded or saved: its watermark must be equal, and its revision the one
    that was found. A new row's revision begins with the time, so a zombie does not meet the revision that it knows in a
    row that was made after it.

    Args:
        engine: of the target; loading opens a connection of its own.
        conn_id: Airflow's name of the connection.
    """

    def __init__(self, engine: sa.Engine, conn_id: str) -> None:
        self._store, self._conn_id = TableWatermarkStore(engine, conn_id), conn_id

    @property
    def name(self) -> str:
        """The name that streams are registered under: that of the store whose rows these are."""
        return self._store.name

    def load(self, stream: str) -> Watermark | None:
        """Return the stored watermark; a missing table is made, since DDL in a batch would end its transaction.

        Raises:
            WatermarkError: it can't be read, not understood, or the table can't be made, or has no transactions; the
                message holds the statement.
        """
        self._store.require_transactions()
        return self._store.load(stream)

    def save(self, unit: Unit, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.target.PositionStore.save`."""
        mine = POSITIONS.c.id == id_of(stream)
        answer = unit.execute(sa.select(POSITIONS.c.watermark, POSITIONS.c.revision).where(mine))
        text, revision = answer.rows[0] if answer.rows else (None, None)
        verify(stream, found=None if text is None else self._store.decoded(stream, text), expected=expected)
        try:
            number = unit.execute(_statement(stream, new, revision)).number
        except ObjectionError as error:
            if error.code.startswith(_TOO_LONG):
                raise WatermarkError(
                    f"the watermark of stream {stream!r} does not fit into table {TABLE} of connection"
                    f" {self._conn_id!r}: {error.reason}. {WIDEN}"
                ) from None
            raise _moved(stream) from None
        if number != 1:
            raise _moved(stream)

    def forget(self, stream: str) -> None:
        """See `core.ports.target.PositionStore.forget`."""
        self._store.forget(stream)


def _statement(stream: str, new: Watermark, revision: int | None) -> Any:
    content = content_of(new)
    if revision is None:
        first = time.time_ns() // 1000
        return POSITIONS.insert().values(id=id_of(stream), stream=stream, revision=first, **content)
    mine = (POSITIONS.c.id == id_of(stream)) & (POSITIONS.c.revision == revision)
    return POSITIONS.update().where(mine).values(revision=revision + 1, **content)


def _moved(stream: str) -> WatermarkError:
    return WatermarkError(
        f"the watermark of stream {stream!r} was moved by another run or person while its batch was applied, which was"
        " rolled back; the next run continues from what is stored",
        retry_helps=True,
    )
