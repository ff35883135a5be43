"""Missing rights of a MySQL or MariaDB user, as GRANTs; looked up only after a statement was refused.

The catalog shows a user only the columns on which it has a right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import MySQLdb

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Withheld
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.mysql.grants import current_user, quoted
from airflow_legacy_events.databases.mysql.session import Session, code_of
from airflow_legacy_events.databases.mysql.tokens import Name, tables, tokens
from airflow_legacy_events.databases.mysql.underlying import below_view
from airflow_legacy_events.databases.mysql.writing import reason_of_query, reason_of_read
from airflow_legacy_events.databases.table_names import readings

_DATABASE, _TABLE, _COLUMN, _VIEW, _ROUTINE = 1044, 1142, 1143, 1356, 1370
DENIED = frozenset({_TABLE, _COLUMN})
"""Errors for a missing right on a table or column."""

_ALL = frozenset({_DATABASE, *DENIED, _VIEW, _ROUTINE})
_SECURITY = "SELECT security_type FROM information_schema.views WHERE table_schema = %s AND table_name = %s"
_USER = re.compile(r"'[^']*'@'[^']*'")
_QUOTED = re.compile(r"`((?:[^`]|``)+)`(?:\.`((?:[^`]|``)+)`)?|'((?:[^']|'')+)'")


class PartlyReadableError(Exception):
    """This user may read only some columns of a table."""


def withheld_of(
    schema: str, table: str, user: str, columns: Sequence[tuple[str, int, bool]], indexed: Iterable[str]
) -> Withheld:
    """Return the withheld columns of a table or view that this user may not read completely.

    Args:
        schema: of it.
        table: its name.
        user: as in a GRANT.
        columns: those that the catalog shows: name, position, and whether this user may read it.
        indexed: indexed columns; MySQL shows their names to everyone.
    """
    shown = {name for name, *_ in columns}
    known = [*(name for name, _, reads in columns if not reads), *(name for name in indexed if name not in shown)]
    at_least = max(max((place for _, place, _ in columns), default=0) - len(columns), 0)
    on = _spelled(Name(schema, table))
    return Withheld({name: quoted(name) for name in known}, hides=True, at_least=at_least, on=on, to=user, quote="`")


@contextmanager
def explained(session: Session, conn_id: str, doing: str, statement: str = "") -> Iterator[None]:
    """Add the missing GRANT to the error of a statement.

    Args:
        session: the one that runs the statement.
        conn_id: Airflow's name of the connection.
        doing: as in `SqlDatabase._using`.
        statement: its text, if known.

    Raises:
        SourceError: instead of the driver's error for a missing right.
    """
    try:
        yield
    except MySQLdb.Error as error:
        if code_of(error) not in _ALL:
            raise
        failed = errors.failed(conn_id, doing, reason_of_read(error))
        raise errors.with_grants(failed, missing(session, error, statement)) from None


def refused_query(session: Session, conn_id: str, error: MySQLdb.Error, statement: str) -> ConfigurationError:
    """Return the error for a query that the server refused before it read a row, with the missing GRANT."""
    refused = errors.refused_query(conn_id, reason_of_query(error))
    return errors.with_grants(refused, missing(session, error, statement))


def missing(session: Session, error: MySQLdb.Error, statement: str = "") -> list[str]:
    """Return the GRANTs that this user lacks for a refused statement; empty if they can't be determined.

    Args:
        session: of that user.
        error: of the server.
        statement: its text, which shows the database of a table.
    """
    code = code_of(error)
    if code not in _ALL:
        return []
    try:
        user = current_user(session)
        [(database,)] = session.rows("SELECT DATABASE()")
    except MySQLdb.Error:
        return []
    *_, names = _USER.split(str(error.args[-1]))
    named = [Name(one, other) if other else Name(None, one or text) for one, other, text in _QUOTED.findall(names)]
    if not named:
        return []
    if code == _VIEW:
        return _below(session, _parted(named[0]), user)
    if code == _ROUTINE:
        return [f"GRANT EXECUTE ON FUNCTION {_spelled(_parted(named[-1]))} TO {user}"]
    written = {one.name: one.schema for one in tables(tokens(statement))} if statement else {}
    table = named[-1] if named[-1].schema else Name(written.get(named[-1].name) or database, named[-1].name)
    columns = f" ({quoted(named[0].name)})" if code == _COLUMN else ""
    return [f"GRANT SELECT{columns} ON {_spelled(table)} TO {user}"]


def _below(session: Session, view: Name, user: str) -> list[str]:
    """Return the GRANTs for the tables below a view with SQL SECURITY INVOKER; empty for any other view."""
    if view.schema is None or session.rows(_SECURITY, view.schema, view.name) != [("INVOKER",)]:
        return []
    below = below_view(session, view.schema, view.name)
    if None in below.views.values():
        return [f"GRANT SELECT, SHOW VIEW ON {_spelled(view)} TO {user}"]
    return [f"GRANT SELECT ON {_spelled(table)} TO {user}" for table in sorted(below.unseen)]


def grant_of_table(session: Session, schema: str | None, table: str) -> str:
    """Return the GRANT that shows a table to this user. A table without any granted right is hidden."""
    [(database,)] = session.rows("SELECT DATABASE()")
    return f"GRANT SELECT ON {_spelled(Name(schema or database, table))} TO {current_user(session)}"


def wanted(table: str | None, sql: str | None) -> tuple[Name, ...]:
    """Return the names of the tables that a user wants to read, of a query perhaps more."""
    if sql is not None:
        return tuple(dict.fromkeys(tables(tokens(sql))))
    *_, (schema, name) = readings(str(table), '`"')
    return (Name(schema, name),)


def not_connected(error: MySQLdb.Error, names: Sequence[Name]) -> list[str]:
    """Return the GRANTs that a user needs to enter a database; empty for any other error.

    Args:
        error: of the server.
        names: of the tables to read. A right on any table of a database lets the user enter it.
    """
    text = str(error.args[-1])
    if code_of(error) != _DATABASE or not (user := _USER.search(text)):
        return []
    found = _QUOTED.findall(text[user.end() :])
    if not found:
        return []
    database = found[-1][0] or found[-1][2]
    there = [_spelled(Name(database, name)) for schema, name in names if schema in (None, database)]
    return [f"GRANT SELECT ON {on} TO {user[0]}" for on in there or [f"{quoted(database)}.*"]]


def _parted(name: Name) -> Name:
    schema, _, rest = name.name.partition(".")
    return Name(schema, rest) if rest else name


def _spelled(name: Name) -> str:
    return ".".join(quoted(part) for part in name if part is not None)
