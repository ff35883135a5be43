"""Dialect traits that SQLAlchemy doesn't cover: read-only sessions, snapshots, the clock, cancelling statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.sql_dialects import FIREBIRD, ORACLE, SQL_SERVER, SQLITE, UNKNOWN, Dialect
from airflow_legacy_events.databases.generic import collations
from airflow_legacy_events.databases.locks import LEASE_SECONDS

Triggers: TypeAlias = list[tuple[str, frozenset[str]]] | None
_CANCEL_SECONDS = 1.0
_FIREBIRD_EVENTS = ("", "INSERT", "UPDATE", "DELETE")
_FIREBIRD_TRIGGERS = sa.text(
    "SELECT rdb$trigger_name, rdb$trigger_type FROM rdb$triggers WHERE rdb$relation_name = :stored"
    " AND rdb$system_flag = 0 AND rdb$trigger_inactive = 0 ORDER BY rdb$trigger_name"
)


def limit(connection: Any, seconds: float) -> None:
    """Set the timeout of the two drivers that have one. It applies to statements that begin later."""
    if hasattr(connection, "call_timeout"):  # python-oracledb
        connection.call_timeout = max(1, int(seconds * 1000))
    elif type(connection).__module__ == "pyodbc":
        connection.timeout = max(1, int(seconds))


def _cancel(connection: Any) -> None:
    """Cancel the statement running on a driver's connection, from another thread, if the driver can.

    psycopg 3's `cancel` blocks the whole process if the server does not answer.
    """
    if callable(safely := getattr(connection, "cancel_safe", None)):
        safely(timeout=_CANCEL_SECONDS)
    elif callable(cancel := getattr(connection, "cancel", None)):
        cancel()


def _nothing(connection: Any) -> None:
    """Prepare nothing."""


def _unknown_triggers(session: sa.Connection, table: str) -> Triggers:  # noqa: ARG001  unknown for every dialect
    return None


@dataclass(frozen=True)
class DialectTraits:
    """Traits of one dialect; the defaults are for an unknown dialect.

    Attributes:
        utc_now: SQL expression of the database's clock in UTC; empty: CURRENT_TIMESTAMP.
        server: SQL expression that identifies the server or database; empty if there is none.
        read_only: statements that make a session read-only, or let it sort text as it compares it.
        first: statement that begins each read transaction; empty if none is needed.
        snapshot: isolation level that provides a snapshot; empty: every level does; None: no level does.
        keeps_keys: whether the primary keys and unique indexes that the inspector lists are enforced, for any table;
            many databases only record them.
        sql: SQL syntax for parsing queries; by default the syntax of all databases together.
        bounds_large_objects: whether OCTET_LENGTH measures large objects, and a failing CAST to a number reports its
            text.
        query: parts of the URL's query that are added if missing.
        reading: prepares a driver's connection for reading, with the statement timeout in seconds.
        writing: prepares a driver's connection for the lock.
        interrupt: cancels the statement running on a driver's connection.
        triggers: returns the names of a table's triggers and the keywords of the statements that fire them; None if
            triggers are not checked.
        misordered: see `core.ports.Database.misordered`; None: not known of any column.
    """

    utc_now: str = ""
    server: str = ""
    read_only: tuple[str, ...] = ()
    first: str = ""
    snapshot: str | None = None
    keeps_keys: bool = False
    sql: Dialect = UNKNOWN
    bounds_large_objects: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    reading: Callable[[Any, float], None] = limit
    writing: Callable[[Any], None] = _nothing
    interrupt: Callable[[Any], None] = _cancel
    triggers: Callable[[sa.Connection, str], Triggers] = _unknown_triggers
    misordered: Callable[[sa.Connection, Any, Column], str | None] | None = None


def _firebird_reading(connection: Any, seconds: float) -> None:  # noqa: ARG001  the server has no timeout
    from firebird.driver import Isolation, TraAccessMode, tpb  # noqa: PLC0415  only for Firebird

    connection.main_transaction.default_tpb = tpb(Isolation.SNAPSHOT, access_mode=TraAccessMode.READ)


def _firebird_writing(connection: Any) -> None:
    from firebird.driver import Isolation, tpb  # noqa: PLC0415  only for Firebird

    connection.main_transaction.default_tpb = tpb(
        Isolation.READ_COMMITTED_RECORD_VERSION, lock_timeout=int(LEASE_SECONDS)
    )


def _firebird_interrupt(connection: Any) -> None:
    from firebird.driver.types import CancelType  # noqa: PLC0415  only for Firebird

    if (attachment := connection._att) is not None:  # noqa: SLF001  the driver has no public attribute
        attachment.cancel_operation(CancelType.RAISE)


def _firebird_triggers(session: sa.Connection, table: str) -> Triggers:
    stored = str(session.dialect.denormalize_name(table))
    rows = session.execute(_FIREBIRD_TRIGGERS, {"stored": stored}).fetchall()
    return [(str(name).strip(), _firebird_events(type_)) for name, type_ in rows]


def _firebird_events(type_: int) -> frozenset[str]:
    """Return the statements that fire a trigger: without its lowest bit, the type holds up to three 2-bit numbers."""
    return frozenset(_FIREBIRD_EVENTS[type_ + 1 >> shift & 3] for shift in (1, 3, 5))


_MYSQL = DialectTraits(
    utc_now="UTC_TIMESTAMP(6)",
    server="@@hostname",
    read_only=("SET SESSION TRANSACTION READ ONLY",),
    snapshot="REPEATABLE READ",
    keeps_keys=True,
    misordered=collations.of_mysql,
)
_KNOWN = {
    "firebird": DialectTraits(
        server="rdb$get_context('SYSTEM', 'DB_NAME')",
        snapshot="",
        keeps_keys=True,
        sql=FIREBIRD,
        bounds_large_objects=True,
        query={"charset": "UTF8"},
        reading=_firebird_reading,
        writing=_firebird_writing,
        interrupt=_firebird_interrupt,
        triggers=_firebird_triggers,
        misordered=collations.of_firebird,
    ),
    "mssql": DialectTraits(
        utc_now="SYSUTCDATETIME()",
        server="CAST(SERVERPROPERTY('ServerName') AS NVARCHAR(256))",
        snapshot="SNAPSHOT",
        keeps_keys=True,
        sql=SQL_SERVER,
    ),
    "oracle": DialectTraits(
        utc_now="SYS_EXTRACT_UTC(SYSTIMESTAMP)",
        server="SYS_CONTEXT('USERENV', 'DB_UNIQUE_NAME')",
        first="SET TRANSACTION READ ONLY",
        read_only=("ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY",),
        sql=ORACLE,
        snapshot="",
    ),
    "postgresql": DialectTraits(
        read_only=("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",), snapshot="REPEATABLE READ"
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": DialectTraits(
        sql=SQLITE, utc_now="strftime('%Y-%m-%d %H:%M:%f', 'now')", read_only=("PRAGMA query_only = ON",)
    ),
}


def traits_of(dialect: str) -> DialectTraits:
    """Return the traits of a dialect, by the name of its backend."""
    return _KNOWN.get(dialect) or DialectTraits()
