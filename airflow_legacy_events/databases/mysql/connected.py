"""MariaDB and MySQL as the source of a connector: the end of the binlog, and rows that make it move."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogPlace, SourceSlot
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.mysql.changelog.ending import find_end, status_statement
from airflow_legacy_events.databases.mysql.changelog.places import order, text_of
from airflow_legacy_events.databases.mysql.changelog.server import spelled
from airflow_legacy_events.databases.mysql.changelog.session import DENIED, LogSession
from airflow_legacy_events.databases.mysql.grants import current_user
from airflow_legacy_events.databases.mysql.session import code_of, is_lost, reason

_INSERT = "INSERT INTO {} VALUES (%s, %s, %s)"
_NO_TABLE = frozenset({1046, 1049, 1136, 1146})
_READ_ONLY = frozenset({1290, 1792, 1836})
_DOING = "writing into the signal table"


class ConnectedMysql:
    """See `core.ports.ConnectedDatabase`; `MysqlDatabase.connected()` returns it.

    Args:
        session: to query and write; `close` ends it.
        database: of the connection; empty if it names none.
    """

    def __init__(self, session: LogSession, database: str) -> None:
        self._session, self.database = session, database

    @property
    def product(self) -> str:
        """See `core.ports.ConnectedDatabase.product`."""
        return "mariadb" if self._session.mariadb else "mysql"

    def end(self) -> LogPlace:
        """See `core.ports.ConnectedDatabase.end`."""
        session = self._session
        if not session.mariadb and session.try_to("looking where the binlog ends", status_statement(session)) is None:
            raise ConfigurationError(
                f"connection {session.conn_id!r} may not see where the binlog ends: run the GRANT below\n"
                f"GRANT REPLICATION CLIENT ON *.* TO {self._user()}"
            )
        place = find_end(session).place
        return LogPlace(order(place), text_of(place))

    def slot(self, name: str) -> SourceSlot | None:  # noqa: ARG002  a port
        """See `core.ports.ConnectedDatabase.slot`: there are none."""
        return None

    def emits(self) -> bool:
        """See `core.ports.ConnectedDatabase.emits`: there are no logical messages."""
        return False

    def emit(self, prefix: str, content: str) -> None:  # noqa: ARG002  a port
        """See `core.ports.ConnectedDatabase.emit`."""
        raise ConfigurationError(
            f"connection {self._session.conn_id!r} leads to {self.product}, which has no logical messages: name a"
            " signal table in signal.data.collection of the connector"
        )

    def published(self, publication: str, table: str) -> bool | None:  # noqa: ARG002  a port
        """See `core.ports.ConnectedDatabase.published`: there are no publications."""
        return None

    def drop_slot(self, name: str) -> bool:  # noqa: ARG002  a port
        """See `core.ports.ConnectedDatabase.drop_slot`: there are none."""
        return True

    def drop_publication(self, name: str) -> None:
        """See `core.ports.ConnectedDatabase.drop_publication`: there are none."""

    def signal(self, table: str, id_: str, kind: str, data: str) -> None:
        """See `core.ports.ConnectedDatabase.signal`."""
        conn_id, named = self._session.conn_id, spelled(*table.split(".", 1))
        with self._session.using(_DOING) as session:
            try:
                session.rows(_INSERT.format(named.replace("%", "%%")), id_, kind, data)
            except Exception as error:
                code = code_of(error)
                if code in DENIED:
                    raise ConfigurationError(
                        f"connection {conn_id!r} may not write into the signal table: run the GRANT below\n"
                        f"GRANT INSERT ON {named} TO {current_user(session)}"
                    ) from None
                if code in _NO_TABLE:
                    raise ConfigurationError(
                        f"connection {conn_id!r} has no usable signal table {table!r}: create it with the columns id,"
                        " type and data, or correct signal.data.collection of the connector"
                    ) from None
                if code in _READ_ONLY:
                    raise ConfigurationError(
                        f"connection {conn_id!r} leads to a server that is read-only: give the connection of its"
                        " primary"
                    ) from None
                if not code or is_lost(error):
                    raise
                raise errors.failed(conn_id, _DOING, reason(error)) from None

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _user(self) -> str:
        with self._session.using("looking up the user") as session:
            return current_user(session)
