"""Delete operator: removes a connector, and what it leaves behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from typing import Any

from airflow.sdk import Context, ObjectStoragePath

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import LOOK_SECONDS
from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.conflicts import rivals, slot_of
from airflow_legacy_events.connect.secrets import shown
from airflow_legacy_events.connect.source_database import refuse_other
from airflow_legacy_events.connect.standing import bring
from airflow_legacy_events.connect.state import STOPPED
from airflow_legacy_events.connect.watching import missing
from airflow_legacy_events.core.errors import ConfigurationError, ConnectError
from airflow_legacy_events.core.ports import ConnectedDatabase, SourceSlot
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.connected import connected
from airflow_legacy_events.streams.storage import path_of, write_text

_log = logging.getLogger(__name__)
_FAIL, _OK = "fail", "ok"
_PUBLICATION = "dbz_publication"
"""Debezium's default of `publication.name`."""


class ConnectorDeleteOperator(ConnectorOperator):
    """Deletes a connector, and sees that it is gone.

    The connector is stopped, what is to be dropped is dropped, and then it is deleted: if the task fails or is killed
    in between, its next try does the rest.

    Kafka Connect keeps the offsets of a deleted connector, and a database its slot and publication: a slot that is
    left lets the server keep its log until the disk is full. They are dropped where the arguments say so. What stays is
    in the report, ``{connector, deleted, left: {slot, publication, held_bytes, sql}}``, with the SQL that drops it.

    :param source_conn_id: connection of the database of a Debezium source for PostgreSQL. (templated)
    :param drop_slot: drop its replication slot once nothing reads it. One that another connector names stays.
    :param drop_publication: drop its publication, likewise.
    :param reset_offsets: remove its offsets, so that a new connector of this name starts over; default is as
        ``drop_slot``, since offsets without their slot fail.
    :param backup: file that its config, without secrets, and its offsets are kept in. (templated)
    :param missing: what to do if there is no such connector: ``ok``, or ``fail``.
    """

    template_fields: Collection[str] = (*ConnectorOperator.template_fields, "source_conn_id", "backup")

    def __init__(
        self,
        *,
        source_conn_id: str | None = None,
        drop_slot: bool = False,
        drop_publication: bool = False,
        reset_offsets: bool | None = None,
        backup: str | ObjectStoragePath | None = None,
        missing: str = _OK,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_conn_id, self.backup, self.missing = source_conn_id, backup, missing
        self.drop_slot, self.drop_publication = drop_slot, drop_publication
        self.reset_offsets = drop_slot if reset_offsets is None else reset_offsets
        arguments.choice("missing", missing, (_FAIL, _OK))
        if source_conn_id is None and (drop_slot or drop_publication):
            raise ConfigurationError(
                "source_conn_id= is missing: slot and publication are dropped through a connection of their database"
            )

    def _steer(self, client: ConnectClient, context: Context) -> dict[str, Any]:  # noqa: ARG002  a port of the base
        config = client.send(calls.config(self.connector))
        if config is None:
            return self._absent(client)
        others = client.send(calls.configs())
        keeps = [str(error) for error in rivals(self.connector, config, others)]
        for argument, what in (("drop_slot", "replication slot"), ("drop_publication", "publication")):
            if getattr(self, argument) and slot_of(config) is None:
                raise ConfigurationError(
                    f"{argument}=True was given, but connector {self.connector!r} has no {what}: leave it out"
                )
        if self.source_conn_id is not None and slot_of(config) is not None:
            with connected(self.source_conn_id) as database:
                refuse_other(self.connector, config, self.source_conn_id, database)
        bring(client, self.connector, STOPPED, self.timeout)
        self._keep(client, config)
        if self.reset_offsets:
            client.send(calls.reset_offsets(self.connector))
        left = self._clean(client, config, keeps)  # first, since only the connector names its slot for another try
        client.send(calls.delete(self.connector))
        self._wait_gone(client)
        _log.info("connector %s is deleted", self.connector)
        return {"connector": self.connector, "deleted": True, "left": left}

    def _absent(self, client: ConnectClient) -> dict[str, Any]:
        if self.missing == _FAIL:
            raise missing(self.connector, client.send(calls.names()))
        _log.info("there is no connector %s, which missing='ok' allows", self.connector)
        return {"connector": self.connector, "deleted": False, "left": _left()}

    def _keep(self, client: ConnectClient, config: Mapping[str, str]) -> None:
        if self.backup is None:
            return
        path = path_of("backup", self.backup)
        found = {
            "name": self.connector,
            "config": {key: shown(key, value) for key, value in config.items()},
            "offsets": client.send(calls.offsets(self.connector)) or [],
        }
        write_text("backup", path, json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        _log.info("connector %s: its config and offsets are kept in %s", self.connector, path)

    def _wait_gone(self, client: ConnectClient) -> None:
        """Wait until the worker says so: for a moment it still shows a status without a connector."""
        while client.send(calls.config(self.connector)) is not None or client.send(calls.status(self.connector)):
            if client.deadline.over:
                raise ConnectError(
                    f"connector {self.connector!r} is still there {self.timeout} after it was deleted: look at the"
                    " workers' logs"
                )
            client.deadline.wait(LOOK_SECONDS)

    def _clean(self, client: ConnectClient, config: Mapping[str, str], keeps: list[str]) -> dict[str, Any]:
        """Drop what the arguments name; return what stays."""
        slot, publication = slot_of(config), config.get("publication.name", _PUBLICATION)
        if slot is None or self.source_conn_id is None:
            return _left(slot, None if slot is None else publication)
        with connected(self.source_conn_id) as database:
            if keeps:
                _log.warning("connector %s: its slot stays: %s", self.connector, "; ".join(keeps))
            if self.drop_slot and not keeps:
                self._drop_slot(client, database, slot)
            if self.drop_publication and not keeps:
                database.drop_publication(publication)
            found = database.slot(slot)
            there = database.published(publication, "") is not None
        return _left(slot if found else None, publication if there else None, found)

    def _drop_slot(self, client: ConnectClient, database: ConnectedDatabase, slot: str) -> None:
        """Drop the slot once its session has ended, which takes a moment after the connector's tasks."""
        while (found := database.slot(slot)) is not None:
            if not found.active and database.drop_slot(slot):
                _log.info("connector %s: slot %s is dropped", self.connector, slot)
                return
            if client.deadline.over:
                raise ConnectError(
                    f"slot {slot!r} of connector {self.connector!r} is still in use after {self.timeout}: end"
                    " the session that reads it, whose process id is active_pid in pg_replication_slots"
                )
            client.deadline.wait(LOOK_SECONDS)


def _left(slot: str | None = None, publication: str | None = None, found: SourceSlot | None = None) -> dict[str, Any]:
    statements = []
    if slot is not None:
        statements.append(f"SELECT pg_drop_replication_slot('{slot}')")
    if publication is not None:
        quoted = publication.replace('"', '""')
        statements.append(f'DROP PUBLICATION "{quoted}"')
    held = None if found is None else found.held_bytes
    return {"slot": slot, "publication": publication, "held_bytes": held, "sql": "; ".join(statements) or None}
