"""PostgreSQL as the source of a connector: the end of its WAL, its slots, and messages and rows that make it move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as refused

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogPlace, SourceSlot
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog.places import number_of
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import Slot
from airflow_legacy_events.databases.postgres.changelog.state import behind
from airflow_legacy_events.databases.postgres.session import reason

MESSAGES_SINCE = 140_000
"""First version whose `pgoutput` passes logical messages on."""

_END = """
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text
"""
_SLOT = """
SELECT to_jsonb(s), ({end}) FROM pg_replication_slots AS s WHERE s.slot_name = %s::name
""".replace("{end}", _END)
_EMIT = "SELECT pg_logical_emit_message(false, %s, %s::text)"
_PUBLISHED = """
SELECT EXISTS (SELECT FROM pg_publication_tables AS t
                WHERE t.pubname = p.pubname AND t.schemaname = %s::name AND t.tablename = %s::name)
  FROM pg_publication AS p WHERE p.pubname = %s::name
"""
_INSERT = "INSERT INTO {} VALUES (%s, %s, %s)"
_DROP_SLOT = "SELECT pg_drop_replication_slot(%s::name)"
_SLOT_DROP, _PUBLICATION_DROP = "dropping the replication slot", "dropping the publication"
_MESSAGE, _ROW = "writing a logical message", "writing into the signal table"


class ConnectedPostgres:
    """See `core.ports.ConnectedDatabase`; `PostgresDatabase.connected()` returns it.

    Args:
        session: to query and write; `close` ends it.
    """

    product = "postgresql"

    def __init__(self, session: LogSession) -> None:
        self._session = session

    @property
    def database(self) -> str:
        """See `core.ports.ConnectedDatabase.database`."""
        return self._session.database

    def end(self) -> LogPlace:
        """See `core.ports.ConnectedDatabase.end`: of WAL that is inserted, or replayed by a standby."""
        [(end,)] = self._session.ask("looking where the log ends", _END)
        return _place(str(end))

    def slot(self, name: str) -> SourceSlot | None:
        """See `core.ports.ConnectedDatabase.slot`."""
        rows = self._session.ask("looking at the replication slot", _SLOT, (name,))
        if not rows:
            return None
        [(row, end)] = rows
        found = Slot.of(row)
        return SourceSlot(
            name=found.name,
            database=found.database,
            active=found.pid is not None,
            confirmed=None if found.confirmed is None else _place(found.confirmed),
            restart=None if found.restart is None else _place(found.restart),
            lost=found.lost,
            held_bytes=behind(found.restart, str(end)),
        )

    def emits(self) -> bool:
        """See `core.ports.ConnectedDatabase.emits`."""
        return self._session.version >= MESSAGES_SINCE

    def emit(self, prefix: str, content: str) -> None:
        """See `core.ports.ConnectedDatabase.emit`."""
        right = "GRANT EXECUTE ON FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, text) TO {}"
        with self._writing(_MESSAGE, right) as session:
            session.execute(_EMIT, (prefix, content))

    def published(self, publication: str, table: str) -> bool | None:
        """See `core.ports.ConnectedDatabase.published`."""
        schema, _, name = table.partition(".")
        rows = self._session.ask("looking at the publication", _PUBLISHED, (schema, name, publication))
        return bool(rows[0][0]) if rows else None

    def signal(self, table: str, id_: str, kind: str, data: str) -> None:
        """See `core.ports.ConnectedDatabase.signal`."""
        schema, _, name = table.partition(".")
        named = quoted(schema, name)
        with self._writing(_ROW, f"GRANT INSERT ON {named} TO {{}}") as session:
            session.execute(_INSERT.format(named.replace("%", "%%")).encode(), (id_, kind, data))

    def drop_slot(self, name: str) -> bool:
        """See `core.ports.ConnectedDatabase.drop_slot`."""
        with self._writing(_SLOT_DROP, "ALTER ROLE {} REPLICATION") as session:
            try:
                session.execute(_DROP_SLOT, (name,))
            except refused.ObjectInUse:
                return False
            except refused.UndefinedObject:
                return True
        return True

    def drop_publication(self, name: str) -> None:
        """See `core.ports.ConnectedDatabase.drop_publication`."""
        named = quoted(None, name)
        with self._writing(_PUBLICATION_DROP, f"ALTER PUBLICATION {named} OWNER TO {{}}") as session:
            session.execute(f"DROP PUBLICATION IF EXISTS {named}".encode())

    def close(self) -> None:
        """End the session."""
        self._session.close()

    @contextmanager
    def _writing(self, doing: str, grant: str) -> Iterator[psycopg.Connection[Any]]:
        """Yield the session; what only a person can change becomes a `ConfigurationError`."""
        conn_id = self._session.conn_id
        try:
            with self._session.driver(doing) as session:
                yield session
        except refused.InsufficientPrivilege as error:
            user = self._session.ask("looking up the user", "SELECT quote_ident(current_user)")[0][0]
            before, _, after = grant.rpartition("{}")  # a name before it may hold braces
            raise ConfigurationError(
                f"connection {conn_id!r} may not do this, {doing}: run the GRANT below. {reason(error)}\n"
                f"{before}{user}{after}"
            ) from None
        except refused.ReadOnlySqlTransaction:
            raise ConfigurationError(
                f"connection {conn_id!r} leads to a server that is read-only: give the connection of its primary, or"
                f" nudge='never'. It failed while {doing}"
            ) from None
        except (refused.UndefinedTable, refused.InvalidSchemaName, refused.SyntaxError) as error:
            raise ConfigurationError(
                f"connection {conn_id!r} has no usable signal table: create it with the columns id, type and data, or"
                f" correct signal.data.collection of the connector. {reason(error)}"
            ) from None
        except psycopg.Error as error:
            raise errors.failed(conn_id, doing, reason(error)) from None


def _place(text: str) -> LogPlace:
    return LogPlace((number_of(text),), text)
