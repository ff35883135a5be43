"""Process of a server: whether the transactions of an earlier look can still be open here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.writers.status import next_number, status_of

_DOING = "comparing the server with that of an earlier run"
_IDENTITY, _POSITION, _STARTED, _HIGHEST = "identity", "position", "started", "transaction"
# Both come from the clock at the begin of the statement, so their difference never changes in a process's life.
_SINCE = "SELECT UNIX_TIMESTAMP(), variable_value FROM {schema}.global_status WHERE variable_name = 'Uptime'"
_UNSIGNED = 2**64
_MOVED_SINCE = (5, 7, 6)


class Process:
    """The server's process.

    Args:
        conn_id: Airflow's name of the connection.
        using: yields the session for a purpose that errors name.
        identity: see `core.ports.Database.identity`.
        position: see `core.ports.Database.position`.
        continues: see `core.ports.Database.continues`.
    """

    def __init__(
        self,
        conn_id: str,
        using: Callable[[str], AbstractContextManager[Session]],
        identity: Callable[[], Mapping[str, str]],
        position: Callable[[], Mapping[str, Any] | None],
        continues: Callable[[Mapping[str, Any], Mapping[str, Any] | None], bool],
    ) -> None:
        self._conn_id, self._using = conn_id, using
        self._identity, self._position, self._continues = identity, position, continues
        self._known: tuple[int, int] | None = None

    def facts(self, highest: int) -> dict[str, Any]:
        """Return what `is_over` needs later.

        Args:
            highest: number of a transaction that is open; 0 if none has a number.
        """
        position = self._position()
        facts = {_IDENTITY: dict(self._identity()), _STARTED: self._started(), _HIGHEST: highest}
        return facts if position is None else {**facts, _POSITION: position}

    def is_over(self, server: Mapping[str, Any]) -> bool:
        """Return whether the process of `server` has ended, and with it every transaction that was not prepared.

        Args:
            server: from `facts`.

        Raises:
            WatermarkError: the transactions were those of another server, or this one was set back.
        """
        before, here = server.get(_IDENTITY), dict(self._identity())
        if before != here:
            if isinstance(before, Mapping) and self._continues(before, server.get(_POSITION)):
                return True
            raise self._unknown(f"they were those of the server {before!r}, and this one is {here!r}")
        if server.get(_STARTED) == self._started():
            return False
        highest, following = server.get(_HIGHEST), self._next()
        if isinstance(highest, int) and following is not None and following <= highest:
            raise self._unknown(f"transaction {highest} was open then, and the next one here is {following}")
        return True

    def _started(self) -> int:
        """Return when the process began, in seconds of its own clock."""
        with self._using(_DOING) as session:
            if self._known is None or self._known[0] != id(session):
                is_moved = not session.mariadb and session.version >= _MOVED_SINCE
                schema = "performance_schema" if is_moved else "information_schema"
                [(now, uptime)] = session.rows(_SINCE.format(schema=schema))
                self._known = id(session), (int(float(now)) - int(uptime)) % _UNSIGNED
            return self._known[1]

    def _next(self) -> int | None:
        with self._using(_DOING) as session:
            return next_number(status_of(session))

    def _unknown(self, why: str) -> WatermarkError:
        return WatermarkError(
            f"connection {self._conn_id!r}: this server does not know the transactions that a run waits for: {why}. It"
            " has another data directory, or one that was set back; nothing was read. Point the connection at the"
            " first server; or, if this server's rows count from now on, accept it:\n"
            "`airflow legacy-events watermark set STREAM --accept-server`"
        )
