"""Whether a source connector streams at all: what its config, its slot and other connectors say about that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.conflicts import rivals, slot_of
from airflow_legacy_events.connect.positions import furthest_lsn, present_offset
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ConnectedDatabase, SourceSlot

UsingSource: TypeAlias = Callable[[Callable[[ConnectedDatabase], Any]], Any]
"""Calls a function with the source database."""

_MODE, _STARTS = "snapshot.mode", "snapshot.mode.configuration.based.start.stream"


def refuse_silent(name: str, config: Mapping[str, str]) -> None:
    """Check that a connector streams changes after its snapshot.

    Raises:
        ConfigurationError: it does not.
    """
    mode = config.get(_MODE, "").strip().lower()
    starts = config.get(_STARTS, "false").strip().lower() == "true"
    if mode == "initial_only" or (mode == "configuration_based" and not starts):
        raise ConfigurationError(
            f"connector {name!r} has {_MODE}={mode}: nothing streams after its snapshot, so RUNNING says nothing."
            " Choose another mode, such as initial"
        )


class Streaming:
    """Looks whether a connector for PostgreSQL reads its slot, and alone.

    Args:
        name: of the connector.
        conn_id: of its source database, for messages.
        source: calls a function with that database.
        log: of the task.
    """

    def __init__(self, name: str, conn_id: str, source: UsingSource, log: logging.Logger) -> None:
        self._name, self._conn_id, self._source, self._log = name, conn_id, source, log
        self._warned = False

    def hindrance(self, config: Mapping[str, str]) -> Steps[str | None]:
        """Return why RUNNING does not mean that it streams; None if its slot is active.

        Args:
            config: of the connector.

        Raises:
            ConfigurationError: another connector names its slot, or the database is not that of the connector.
        """
        slot = slot_of(config)
        if slot is None:
            raise ConfigurationError(
                f"source_conn_id= was given, but connector {self._name!r} has no replication slot: leave it out, or use"
                " ConnectorCaughtUpSensor, which proves that a connector streams"
            )
        others = yield calls.configs()
        if found := rivals(self._name, config, others):
            raise found[0]
        there = yield self._look(slot)
        if there is None or there.lost is not None:
            return f"its slot {slot!r} {'does not exist' if there is None else f'is lost ({there.lost})'}"
        if not there.active:
            return f"its slot {slot!r} is not active: nothing reads it"
        yield from self._warn(config, there)
        return None

    def _look(self, slot: str) -> Callable[[], SourceSlot | None]:
        def look() -> SourceSlot | None:
            product, database, found = self._source(lambda one: (one.product, one.database, one.slot(slot)))
            if product != "postgresql":
                raise ConfigurationError(
                    f"source_conn_id={self._conn_id!r} leads to {product}, but connector {self._name!r} reads"
                    " PostgreSQL: give the connection of its database"
                )
            if found is not None and found.database != database:
                raise ConfigurationError(
                    f"source_conn_id={self._conn_id!r} leads to database {database!r}, but slot {slot!r} of connector"
                    f" {self._name!r} is of {found.database!r}: give the connection of that database"
                )
            return found  # type: ignore[no-any-return]

        return look

    def _warn(self, config: Mapping[str, str], slot: SourceSlot) -> Steps[None]:
        """Log once that the slot is past the connector's offset; the slot was looked at first, and the offset grows."""
        if self._warned:
            return
        self._warned = True
        offset = present_offset((yield calls.offsets(self._name)), config)
        place = None if offset is None else furthest_lsn(offset)
        if place is not None and slot.confirmed is not None and slot.confirmed.order > place.order:
            self._log.warning(
                "connector %s: its slot %s is at %s, past its offset %s, so that it will FAIL at its next restart:"
                " reset its offsets with ConnectorOffsetsOperator, and take lsn.flush.mode=connector",
                self._name,
                slot.name,
                slot.confirmed.text,
                place.text,
            )
