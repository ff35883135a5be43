"""Barrier at the log of a source: all that was committed before it was taken is in Kafka once the offset passes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.config import CLASS
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.connect.nudges import AUTO, nudge
from airflow_legacy_events.connect.positions import PREFIX, in_snapshot, place_of, present_offset, same_log
from airflow_legacy_events.connect.source_database import products_of, refuse_other
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.connect.streaming import UsingSource, refuse_silent
from airflow_legacy_events.connect.target import Target
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ConnectedDatabase, LogPlace, SourceSlot

_AGAIN_SECONDS, _LONGEST_AGAIN_SECONDS = 60.0, 900.0
_FLUSH_MODE, _BY_CONNECTOR = "lsn.flush.mode", "connector"


class LogBarrier:
    """See `Barrier`.

    Args:
        name: of the connector.
        conn_id: of its source database, for messages.
        source: calls a function with that database.
        nudge: auto or never.
    """

    def __init__(self, name: str, conn_id: str, source: UsingSource, nudge: str) -> None:
        self._name, self._conn_id, self._source, self._nudge = name, conn_id, source, nudge

    def check(self, config: Mapping[str, str]) -> None:
        """See `Barrier.check`."""
        if products_of(config) is None:
            raise ConfigurationError(
                f"connector {self._name!r} can't be compared with a log: ConnectorCaughtUpSensor is for Debezium's"
                f" connectors for PostgreSQL, MariaDB and MySQL, and for sinks. Its class is {config.get(CLASS)!r}"
            )
        refuse_silent(self._name, config)

    def take(self, config: Mapping[str, str]) -> Steps[Target]:
        """See `Barrier.take`."""

        def look(database: ConnectedDatabase) -> tuple[LogPlace, SourceSlot | None]:
            end = database.end()
            refuse_other(self._name, config, self._conn_id, database)
            slot = slot_of(config)
            return end, None if slot is None else database.slot(slot)

        began = time.time()
        place, slot = yield lambda: self._source(look)
        return Target(began, place, slot=None if slot is None else slot.confirmed)

    def push(self, config: Mapping[str, str], target: Target) -> Steps[bool]:
        """See `Barrier.push`: at first, and ever more seldom while the offset does not move.

        A first one is lost where the slot did not exist yet.
        """
        waited = min(_AGAIN_SECONDS * 2.0 ** max(0, target.nudges - 1), _LONGEST_AGAIN_SECONDS)
        if self._nudge != AUTO or (target.nudges and time.time() - target.nudged < waited):
            return False
        yield lambda: self._source(nudge(self._name, config))
        target.nudges, target.nudged = target.nudges + 1, time.time()
        return True

    def reached(self, config: Mapping[str, str], target: Target) -> Steps[tuple[Any, str]]:
        """See `Barrier.reached`."""
        wanted = target.place
        if wanted is None:
            raise ConfigurationError(f"connector {self._name!r} was a sink when the barrier began: run the task again")
        offset = present_offset((yield calls.offsets(self._name)), config)
        if offset is None:
            return (yield from self._by_slot(config, target, wanted))
        place = place_of(offset)
        if in_snapshot(offset):
            return None, f"its snapshot, taken at {place.text}, has not ended"
        if same_log(place, wanted) and place.order < wanted.order:
            return None, f"its offset is {place.text}, the target {wanted.text}"
        end: LogPlace = yield lambda: self._source(lambda database: database.end())
        if not same_log(place, end) or place.order > end.order:
            raise ConfigurationError(
                f"offset {place.text} of connector {self._name!r} is not within the log of source_conn_id="
                f"{self._conn_id!r}, which ends at {end.text}: give the connection of the server that the connector"
                " reads. If that was restored, reset the connector's offsets"
            )
        return place.text, ""

    def _by_slot(self, config: Mapping[str, str], target: Target, wanted: LogPlace) -> Steps[tuple[Any, str]]:
        """Go by the slot while there is no offset: a connector moves it once records are in Kafka.

        A slot that was made behind the target says nothing, nor does one that the driver may move.
        """
        none_yet = f"it has no offset for {PREFIX} {config.get(PREFIX)!r} yet"
        name = slot_of(config)
        if name is None or config.get(_FLUSH_MODE, _BY_CONNECTOR).strip().lower() != _BY_CONNECTOR:
            return None, none_yet
        slot: SourceSlot | None = yield lambda: self._source(lambda database: database.slot(name))
        if slot is None or slot.confirmed is None:
            return None, none_yet
        if target.slot is None:
            target.slot = slot.confirmed
        if target.slot.order < wanted.order <= slot.confirmed.order:
            return slot.confirmed.text, ""
        return None, none_yet
