"""MySQL and MariaDB as a target, through mysqlclient."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import MySQLdb
import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import NewColumn, Wanted
from airflow_legacy_events.databases.applying.faults import Fault
from airflow_legacy_events.databases.applying.session import WriteSession
from airflow_legacy_events.databases.applying.target import SqlTarget
from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.mysql.catalog import table_row
from airflow_legacy_events.databases.mysql.connecting import connect, options_of
from airflow_legacy_events.databases.mysql.session import Killer, Session, code_of
from airflow_legacy_events.databases.mysql.target import made
from airflow_legacy_events.databases.mysql.target.connected import Server, settle
from airflow_legacy_events.databases.mysql.target.faults import ENDED, Account, fault_of
from airflow_legacy_events.databases.mysql.target.reflecting import shape_of
from airflow_legacy_events.databases.mysql.target.sending import Sender
from airflow_legacy_events.databases.mysql.target.unit import MysqlUnit
from airflow_legacy_events.databases.watchdog import WATCHDOG

_CONNECT_SECONDS, _KILLER_SECONDS, _SILENT_SECONDS = 30, 2, 30


class MysqlTarget(SqlTarget):
    """MariaDB 10.2 and later, MySQL 5.6 and later."""

    unit = MysqlUnit
    identity_moves = True
    made_with = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    _server = Server()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Session and socket of each connection: the driver refuses to name them in another thread.
        self._wires: WeakKeyDictionary[Any, tuple[int, int]] = WeakKeyDictionary()
        super().__init__(*arguments, **options)
        self._killer = Killer(self._open_killer)
        self._looking: set[Session] = set()

    def make_engine(self) -> sa.Engine:
        """See `SqlTarget.make_engine`; each session has settings of its own, see `settings.of_writing`."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, hide_parameters=True, creator=self._connect)
        of_dialect = engine.dialect.is_disconnect
        engine.dialect.is_disconnect = lambda error, *at: code_of(error) in ENDED or of_dialect(error, *at)  # type: ignore[method-assign]
        return engine

    def _connect(self) -> Any:
        driver = connect(self.conn_id, {"connect_timeout": _CONNECT_SECONDS, **self._options()}, autocommit=False)
        try:
            self._wires[driver] = driver.thread_id(), driver.fileno()
            self._server = settle(driver, self.seconds)
        except BaseException:
            with contextlib.suppress(MySQLdb.Error):
                driver.close()
            raise
        return driver

    def _options(self) -> dict[str, Any]:
        return options_of(self.conn_id, self.url.get_dialect()(), self.url)

    def fault(self, error: BaseException) -> Fault:
        """See `SqlTarget.fault`."""
        account = Account(self._server.user, self.url.database or "")
        return fault_of(error, getattr(error, "sqlstate", ""), account, self.seconds)

    def _begun(self, session: WriteSession) -> SqlUnit:
        found = super()._begun(session)
        if isinstance(found, MysqlUnit):
            found.sending = self._sender
        return found

    def _sender(self, driver: Any) -> Sender:
        """Return what runs the statements of a transaction on the driver's connection."""
        return Sender(driver, self._server.packet, partial(self._watching, driver))

    def _watching(self, driver: Any) -> AbstractContextManager[Any]:
        """Return a context that cancels a statement after its timeout; MySQL limits the time of SELECT alone."""
        return WATCHDOG.watching(self.seconds, partial(self.interrupt, driver))

    def interrupt(self, driver: Any) -> None:
        """See `SqlTarget.interrupt`."""
        number, _ = self._wires[driver]
        self._killer.end_statement(number)

    def cut(self, driver: Any) -> None:
        """See `SqlTarget.cut`."""
        _, descriptor = self._wires[driver]
        if driver.open:  # its socket's number may be reused by now
            with socket.socket(fileno=os.dup(descriptor)) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """See `core.ports.target.Target.reflect`."""
        with self._catalog(f"looking at table {table!r}") as session:
            row = table_row(session, table)
            return None if row is None else shape_of(session, table, row, wanted)

    def identity(self, table: str) -> str | None:
        """See `core.ports.target.Target.identity`: when the table was created, which ALTER TABLE may change."""
        with self._catalog(f"looking at table {table!r}") as session:
            row = table_row(session, table)
            return None if row is None else row.created

    def type_of(self, column: NewColumn, *, in_key: bool) -> str:
        """See `SqlTarget.type_of`."""
        server = self._server
        return made.type_of(column, made.Server(server.exact, server.is_old, server.has_json), in_key=in_key)

    def close(self) -> None:
        """See `core.ports.target.Target.close`."""
        for one in list(self._looking):
            one.cut()
        super().close()
        self._killer.close()

    @contextmanager
    def _catalog(self, doing: str) -> Iterator[Session]:
        """Yield a session of its own that returns texts."""
        try:
            with contextlib.closing(self._open(read_timeout=int(self.seconds) + _SILENT_SECONDS)) as session:
                self._looking.add(session)
                try:
                    yield session
                finally:
                    self._looking.discard(session)
        except MySQLdb.Error as error:
            fault = self.fault(error)
            raise TargetError(
                f"connection {self.conn_id!r} failed while {doing}: {fault.reason}"
                + (f". {fault.remedy}" if fault.remedy else ""),
                retry_helps=fault.retry_helps,
            ) from None

    def _open(self, **defaults: int) -> Session:
        return Session(self.conn_id, {"connect_timeout": _CONNECT_SECONDS, **defaults, **self._options()})

    def _open_killer(self) -> Session:
        return self._open(connect_timeout=_KILLER_SECONDS, read_timeout=_KILLER_SECONDS)
