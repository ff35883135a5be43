"""Tables, servers and users that changes can't be applied with, each with its remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import MySQLdb

from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.mysql.catalog import TableRow
from airflow_legacy_events.databases.mysql.grants import Grants, quoted
from airflow_legacy_events.databases.mysql.replication import written_elsewhere
from airflow_legacy_events.databases.mysql.session import Session, code_of

ENGINE = "InnoDB"
"""The only engine here whose rows are rolled back with their transaction."""

VERSIONED = "SYSTEM VERSIONED"
"""Kind of a table that keeps the history of its rows."""

_KINDS = frozenset({"BASE TABLE", VERSIONED})
_DENIED = frozenset({1142, 1143, 1044})


def of_table(table: str, row: TableRow) -> list[str]:
    """Return what is wrong with the kind of a table."""
    name = f"{quoted(row.schema)}.{quoted(row.name)}"
    if row.is_view:
        return [f"Name the table below {table!r}, which is a view: what it does to rows can't be checked"]
    if row.kind not in _KINDS:
        return [f"Name another table; {table!r} is a {row.kind.lower()}"]
    if row.engine == ENGINE:
        return []
    return [_convert(name, table, row.engine)]


def of_server(session: Session, grants: Grants) -> list[str]:
    """Return why this server must not be written to, whatever this user may do."""
    why, _ = written_elsewhere(session, grants)
    if why is None:
        return []
    return [f"Name a connection of the primary: {why}, and rows written here would differ from it"]


def of_rights(session: Session, row: TableRow, columns: Sequence[TargetColumn], user: str, wanted: Wanted) -> list[str]:
    """Return the GRANT for rights on a table that this user lacks; each is tried, without touching a row."""
    name = f"{quoted(row.schema)}.{quoted(row.name)}"
    written = [quoted(one.name) for one in columns if one.written]
    listed = ", ".join(written)
    tried = {
        "SELECT": f"SELECT {listed} FROM {name} LIMIT 0",  # noqa: S608
        "INSERT": f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {name} WHERE 1 = 0",  # noqa: S608
    }
    if not wanted.append:
        tried["UPDATE"] = f"UPDATE {name} SET {', '.join(f'{one} = {one}' for one in written)} WHERE 1 = 0"  # noqa: S608
    lacking = [verb for verb, statement in tried.items() if written and _is_denied(session, statement)]
    if not lacking:
        return []
    every = ", ".join([*tried, *([] if wanted.append or wanted.deleted else ["DELETE"])])
    return [f"Run the GRANT below; this user lacks {', '.join(lacking)}:\nGRANT {every} ON {name} TO {user}"]


def _is_denied(session: Session, statement: str) -> bool:
    try:
        session.rows("START TRANSACTION")
        session.rows(statement)
    except MySQLdb.Error as error:
        if code_of(error) in _DENIED:
            return True
        raise
    finally:
        with contextlib.suppress(MySQLdb.Error):
            session.rows("ROLLBACK")
    return False


def _convert(name: str, table: str, engine: str | None) -> str:
    return (
        f"Run the ALTER TABLE below; {table!r} has engine {engine}, whose rows stay after a ROLLBACK, so its rows and"
        f" the position would part:\nALTER TABLE {name} ENGINE={ENGINE}"
    )
