"""Offsets operator: reads, keeps, writes and resets the offsets of a connector."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from airflow.sdk import Context, ObjectStoragePath

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect import offsets as rules
from airflow_legacy_events.connect.applying import LOOK_SECONDS
from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.connect.offsets import Offsets
from airflow_legacy_events.connect.positions import sink_offsets
from airflow_legacy_events.connect.source_database import refuse_other
from airflow_legacy_events.connect.standing import bring, standing_of
from airflow_legacy_events.connect.state import STOPPED
from airflow_legacy_events.connect.watching import missing
from airflow_legacy_events.core.errors import ConfigurationError, ConnectError, ConnectorFailedError
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.connected import connected
from airflow_legacy_events.streams.former_state import FormerState
from airflow_legacy_events.streams.storage import path_of, read_text, write_text
from airflow_legacy_events.streams.tails import using_ends

_log = logging.getLogger(__name__)
GET, BACKUP, ALTER, RESET, RESTORE = "get", "backup", "alter", "reset", "restore"
ACTIONS = (GET, BACKUP, ALTER, RESET, RESTORE)
_NEEDS_BACKUP = (BACKUP, RESTORE)


class ConnectorOffsetsOperator(ConnectorOperator):
    """Reads, keeps, writes or resets the offsets of a connector.

    To write, the connector is stopped; its offsets are kept first where ``backup`` says so, written, and read back;
    then the connector is brought into its former state, also after an error. If the task is killed in between, its next
    try finds that state again. The task returns ``{connector, before, after, backup}``, offsets as Kafka Connect gives
    them.

    Kafka Connect takes any offset. Here one is refused that the connector can't have: of another partition or with
    other fields than its own; with ``source_conn_id`` one below what its slot keeps, or beyond the log of its database;
    with ``broker_conn_id`` one outside the log of a sink's topic.

    :param action: ``get``, ``backup``, ``alter``, ``reset`` or ``restore``.
    :param offsets: for ``alter``: a list of ``{"partition": ..., "offset": ...}``, or Connect's own JSON; an offset of
        None removes its partition. (templated)
    :param backup: file that the offsets are kept in before they change, or that ``restore`` reads, in any storage that
        Airflow reaches. (templated)
    :param source_conn_id: connection of the database of a source. (templated)
    :param broker_conn_id: connection of the Kafka cluster that a sink reads. (templated)
    :param force: write offsets that would be refused.
    """

    template_fields: Collection[str] = (
        *ConnectorOperator.template_fields,
        "offsets",
        "backup",
        "source_conn_id",
        "broker_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"offsets": "json"}

    def __init__(
        self,
        *,
        action: str = GET,
        offsets: Sequence[Mapping[str, Any]] | Mapping[str, Any] | str | None = None,
        backup: str | ObjectStoragePath | None = None,
        source_conn_id: str | None = None,
        broker_conn_id: str | None = None,
        force: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.action, self.offsets, self.backup = action, offsets, backup
        self.source_conn_id, self.broker_conn_id, self.force = source_conn_id, broker_conn_id, force
        arguments.choice("action", action, ACTIONS)
        if (offsets is None) == (action == ALTER):
            raise ConfigurationError(f"offsets= belongs to action='alter', and only to it; action is {action!r}")
        if action in _NEEDS_BACKUP and backup is None:
            raise ConfigurationError(f"backup= is missing: action={action!r} needs the path of a file")
        if action == GET and backup is not None:
            raise ConfigurationError("backup= has no effect with action='get': use action='backup'")

    def _steer(self, client: ConnectClient, context: Context) -> dict[str, Any]:  # noqa: ARG002  a port of the base
        config = client.send(calls.config(self.connector))
        if config is None:
            raise missing(self.connector, client.send(calls.names()))
        path = None if self.backup is None else path_of("backup", self.backup)
        before = self._live(client)
        if self.action in (GET, BACKUP):
            return self._report(before, before, self._keep(path, before) if self.action == BACKUP else None)
        wanted = self._wanted(path)
        if not self.force:
            self._check(config, wanted, before)
        kept = None if self.action == RESTORE else path
        with self._stopped(client):
            before = self._live(client)  # the last ones, flushed as it stopped
            if not self.force:
                self._check(config, wanted, before)
            name = self._keep(kept, before)
            after = self._write(client, wanted, before)
        return self._report(before, after, name)

    def _live(self, client: ConnectClient) -> Offsets:
        return client.send(calls.offsets(self.connector)) or []

    def _wanted(self, path: ObjectStoragePath | None) -> Offsets:
        """Return the offsets that the connector is to have; none after a reset."""
        if self.action == ALTER:
            if not (found := rules.read_offsets(self.offsets, "offsets=")):
                raise ConfigurationError("offsets= is empty: name the offsets to write, or use action='reset'")
            return found
        if self.action == RESTORE and path is not None:
            return rules.read_offsets(read_text("backup", path), f"backup={str(path)!r}")
        return []

    def _check(self, config: Mapping[str, str], wanted: Offsets, live: Offsets) -> None:
        rules.refuse_strange(self.connector, config, wanted, live)
        if self.source_conn_id is not None and wanted:
            slot = slot_of(config)
            with connected(self.source_conn_id) as database:
                refuse_other(self.connector, config, self.source_conn_id, database)
                end, found = database.end(), None if slot is None else database.slot(slot)
            rules.refuse_outside_log(self.connector, config, wanted, end, found)
        if self.broker_conn_id is not None and (topics := {at.topic for at in sink_offsets(wanted)}):
            bounds = using_ends(self.broker_conn_id, _log)(lambda ends: ends.bounds(topics))
            rules.refuse_outside_topics(self.connector, wanted, bounds)

    @contextmanager
    def _stopped(self, client: ConnectClient) -> Iterator[None]:
        """Stop the connector, and bring it into its former state afterwards."""
        former = FormerState(self.connect_conn_id, self.connector)
        status = client.send(calls.status(self.connector))
        if status is None:
            raise missing(self.connector, client.send(calls.names()))
        state = standing_of(status)
        if state == STOPPED:
            state = former.remembered() or STOPPED
        if state != STOPPED:
            former.remember(state)
        try:
            bring(client, self.connector, STOPPED, self.timeout)
            yield
        finally:
            self._bring_back(client, state)
            former.forget()

    def _bring_back(self, client: ConnectClient, state: str) -> None:
        """Bring the connector into its former state; one that fails then is reported, and is as it should be."""
        try:
            bring(client, self.connector, state, self.timeout)
        except ConnectorFailedError as error:
            _log.warning("connector %s has its offsets and FAILED as it started: %s", self.connector, error)

    def _write(self, client: ConnectClient, wanted: Offsets, before: Offsets) -> Offsets:
        """Write, and read back until the worker shows what was written."""
        target = wanted
        if not wanted:
            client.send(calls.reset_offsets(self.connector))
        else:
            if self.action == ALTER:
                given = {str(sorted(one["partition"].items())) for one in wanted}
                others = [one for one in before if str(sorted(one["partition"].items())) not in given]
                target = [*others, *wanted]
            client.send(calls.alter_offsets(self.connector, rules.replacing(target, before)))
        while True:
            after = self._live(client)
            if rules.equal(after, target):
                return after
            if client.deadline.over:
                raise ConnectError(
                    f"connector {self.connector!r} has other offsets than were written: look at them with action='get'."
                    f" {'Those of before are kept in ' + str(self.backup) if self.backup else ''}"
                )
            client.deadline.wait(2 * LOOK_SECONDS)

    def _keep(self, path: ObjectStoragePath | None, offsets: Offsets) -> str | None:
        if path is None:
            return None
        write_text("backup", path, rules.to_text(offsets))
        _log.info("connector %s: its offsets are kept in %s", self.connector, path)
        return str(path)

    def _report(self, before: Offsets, after: Offsets, backup: str | None) -> dict[str, Any]:
        if self.action not in (GET, BACKUP):
            _log.info("connector %s: its offsets are changed, %s", self.connector, self.action)
        return {"connector": self.connector, "before": before, "after": after, "backup": backup}
