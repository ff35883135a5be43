"""Replication slots of the connectors of a Kafka Connect cluster."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.core.ports import SourceSlot
from airflow_legacy_events.hooks.connect import KafkaConnectHook
from airflow_legacy_events.streams.connected import connected
from airflow_legacy_events.streams.sizes import shown

_TIMEOUT = dt.timedelta(seconds=30)


class ConnectorSlot(NamedTuple):
    """A slot that a connector reads.

    Attributes:
        connector: its name.
        slot: as the server has it.
    """

    connector: str
    slot: SourceSlot

    def line(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        slot = self.slot
        return {
            "slot": slot.name,
            "connector": self.connector,
            "active": slot.active,
            "lost": slot.lost,
            "held_bytes": slot.held_bytes,
        }

    def findings(self, max_wal: int | None) -> list[str]:
        """Return what is wrong with it, in sentences.

        Args:
            max_wal: bytes that it may hold; None: any number.
        """
        found, slot, held = [], f"slot {self.slot.name!r} of connector {self.connector!r}", self.slot.held_bytes or 0
        if self.slot.lost is not None:
            found.append(f"{slot} is lost ({self.slot.lost}): the server has removed changes that were not delivered")
        if max_wal is not None and held > max_wal:
            found.append(f"{slot} holds {shown(held)} of WAL, more than {shown(max_wal)}")
        return found


def connector_slots(conn_id: str, connect_conn_id: str) -> list[ConnectorSlot]:
    """Return the slots of a database that connectors of a cluster name, by the names of the connectors.

    Args:
        conn_id: connection of the database.
        connect_conn_id: connection of the cluster.

    Raises:
        LegacyEventsError: the cluster or the database does not answer.
    """
    with KafkaConnectHook(connect_conn_id).get_client(_TIMEOUT) as client:
        configs = client.send(calls.configs())
    found = []
    with connected(conn_id) as database:
        for name, config in sorted(configs.items()):
            slot = slot_of(config)
            there = None if slot is None else database.slot(slot)
            if there is not None and there.database == database.database:
                found.append(ConnectorSlot(name, there))
    return found
