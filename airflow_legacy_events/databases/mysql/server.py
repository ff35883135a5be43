"""MySQL and MariaDB server facts: identity, position, and the next generated ID."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.ports import Blocker, NextId
from airflow_legacy_events.databases.mysql.generators import read_next_id
from airflow_legacy_events.databases.mysql.positions import Server, gtids_in, read_server
from airflow_legacy_events.databases.mysql.replication import is_primary
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.writers.listing import Lister
from airflow_legacy_events.databases.mysql.writers.prepared import prepared_names
from airflow_legacy_events.databases.mysql.writers.process import Process
from airflow_legacy_events.databases.snapshots import SnapshotDatabase

_POLL_SECONDS = 0.25
_NAMED_GTIDS = 3
_UUID = "server_uuid"


class AskedServer(SnapshotDatabase[Session]):
    """Server queries of `MysqlDatabase`; one statement returns both identity and position."""

    _server: Server | None = None

    def identity(self) -> dict[str, str]:
        """See `core.ports.Database.identity`: the server's own ID or, if it has none, its host, port and server ID."""
        self._server = self._ask_server()
        return self._server.identity

    def position(self) -> dict[str, Any] | None:
        """See `core.ports.Database.position`: as reported together with the identity."""
        executed = (self._server or self._ask_server()).executed
        return None if executed is None else {"gtids": executed.last()}

    def behind(self, position: Mapping[str, Any]) -> str | None:
        """See `core.ports.Database.behind`. A server that is not known to be a primary gets time to catch up."""
        gtids, until = gtids_in(position), time.monotonic() + self.statement_timeout_seconds
        server = self._server or self._ask_server()
        waited = False
        while server.executed is not None and (missing := server.executed.missing(gtids)):
            if (not waited and self._is_primary()) or time.monotonic() >= until:
                lacking = ", ".join(missing[:_NAMED_GTIDS])
                return f"the server has not executed {lacking}, which it had when the watermark was read"
            if not waited:
                self.log.info("connection %r: waiting for the server to execute %s", self.conn_id, missing[0])
            waited = True
            self._closed.wait(_POLL_SECONDS)
            self._server = server = self._ask_server()
        return None

    def continues(self, server: Mapping[str, Any], position: Mapping[str, Any] | None) -> bool:
        """See `core.ports.Database.continues`: MySQL GTIDs contain the server that assigned them, MariaDB's don't."""
        here = (self._server or self._ask_server()).identity
        gtids = gtids_in(position or {})
        if not (_UUID in here and _UUID in server and gtids and all(":" in one for one in gtids)):
            return False
        if {**here, _UUID: ""} != {**server, _UUID: ""}:
            return False
        return self.position() is not None and self.behind({**(position or {})}) is None

    def _ask_server(self) -> Server:
        with self._using("reading the server's identity") as session:
            return read_server(session)

    def _is_primary(self) -> bool:
        with self._using("checking whether the server is a replica") as session:
            return is_primary(session)

    def _lister(self) -> Lister:
        """Return what lists open transactions."""
        seconds = self.statement_timeout_seconds
        return Lister(self.conn_id, self._using, lambda: self._in_snapshot, self._closed.wait, seconds)

    def _process(self) -> Process:
        """Return what knows the server's process."""
        return Process(self.conn_id, self._using, self._known_identity, self.position, self.continues)

    def _known_identity(self) -> dict[str, str]:
        return (self._server or self._ask_server()).identity

    def _is_galera(self) -> bool:
        return (self._server or self._ask_server()).is_galera

    def _prepared(self) -> list[str]:
        with self._using("looking for prepared transactions") as session:
            return prepared_names(session)

    def ending(self, blocker: Blocker) -> str | None:
        """See `core.ports.Database.ending`; None where one of several prepared transactions is meant."""
        if blocker.gid is not None:
            return None if " or " in blocker.gid else f"XA ROLLBACK {blocker.gid}"
        return None if blocker.pid is None else f"KILL {blocker.pid}"

    def next_id(self, table: str, column: str) -> NextId:
        """See `core.ports.Database.next_id`."""
        with self._using("reading the next id") as session:
            return read_next_id(session, table, column)
