"""mysqlclient connections: fixed options, and the connection extras that the driver accepts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import MySQLdb
from MySQLdb.constants import CLIENT

from airflow_legacy_events.databases.errors import refused_extra
from airflow_legacy_events.databases.mysql.option_file import with_file
from airflow_legacy_events.databases.mysql.tls import prove, requested

_FIXED: Mapping[str, Any] = {
    "charset": "utf8mb4",
    "use_unicode": True,
    "binary_prefix": True,
    "local_infile": 0,
    "multi_statements": False,
    "client_flag": CLIENT.FOUND_ROWS,
}
_NOT_TAKEN = frozenset({"cursorclass", "conv", "local_infile_dir", "executemany_fallback", "binary_prefix"})
_FIELDS = frozenset({"host", "port", "user", "passwd", "password", "db", "database"})
_REFUSED_BY_THE_SERVER = {1193: "sql_mode", 1231: "sql_mode", 1273: "collation"}
_OF_THE_USER = frozenset({1040, 1044, 1045, 1049, 1129, 1130, 1158, 1203, 1226, 1251, 1698, 3118, 4151})
"""Server errors that refuse the user a connection."""

_QUOTED = re.compile(r"'(\w+)'")
_OF_THE_CLIENT = range(2000, 3000)
_OF_THE_DRIVER = (TypeError, ValueError, OverflowError, MySQLdb.NotSupportedError)


def connect(
    conn_id: str, options: Mapping[str, Any], conv: Mapping[Any, Any] | None = None, *, autocommit: bool = True
) -> Any:
    """Open a connection; if TLS was requested, verify that it is used.

    Args:
        conn_id: Airflow's name of the connection.
        options: of the driver, from the connection; the fixed ones here take precedence.
        conv: the driver's converters; None: its default.
        autocommit: whether each statement is its own transaction.

    Raises:
        ConfigurationError: an extra is refused, or TLS was requested but is not used.
        MySQLdb.Error: the server can't be reached or refuses the user.
    """
    given = {name: value for name, value in with_file(conn_id, options).items() if name not in _NOT_TAKEN}
    if not given.get("compress", True):  # the driver treats any value as true
        del given["compress"]
    tls = requested(conn_id, given)
    fixed = {**_FIXED, "autocommit": autocommit, **({} if conv is None else {"conv": dict(conv)})}
    try:
        connection = MySQLdb.connect(**{**tls.options, **fixed})  # type: ignore[no-untyped-call]
    except _OF_THE_DRIVER as error:
        raise refused_extra(conn_id, _named(error, given), "is not accepted by mysqlclient") from None
    except MySQLdb.Error as error:
        if (name := _refused_by_the_server(error, given)) is not None:
            raise refused_extra(conn_id, name, f"is not accepted by the server (error {error.args[0]})") from None
        raise
    if tls.by is not None:
        try:
            prove(conn_id, connection, tls.by)
        except BaseException:
            with contextlib.suppress(MySQLdb.Error):
                connection.close()
            raise
    return connection


def _named(error: Exception, given: Mapping[str, Any]) -> str:
    """Return the extra that the driver refused; all of them if it names none."""
    named = [name for name in _QUOTED.findall(str(error)) if name in given]
    return named[0] if named else ", ".join(sorted(given.keys() - _FIELDS))


def _refused_by_the_server(error: MySQLdb.Error, given: Mapping[str, Any]) -> str | None:
    code = error.args[0] if error.args else 0
    if (name := _REFUSED_BY_THE_SERVER.get(code)) in given:
        return name
    is_of_a_statement = isinstance(code, int) and 0 < code not in (*_OF_THE_USER, *_OF_THE_CLIENT)
    return "init_command" if is_of_a_statement and "init_command" in given else None


def options_of(conn_id: str, dialect: Any, url: Any) -> dict[str, Any]:
    """Return the mysqlclient options in a SQLAlchemy URL.

    Raises:
        ConfigurationError: an extra is not a number where one is required, or is a field of the connection. The error
            names it.
    """
    if fields := sorted(_FIELDS & set(url.query)):
        raise refused_extra(conn_id, fields[0], "has a field of its own in the connection")
    try:
        return dict(dialect.create_connect_args(url)[1])
    except ValueError:
        wrong = next(name for name in url.query if not _is_taken(dialect, url, name))
        raise refused_extra(conn_id, wrong, "is not accepted by mysqlclient") from None


def _is_taken(dialect: Any, url: Any, name: str) -> bool:
    try:
        dialect.create_connect_args(url.set(query={name: url.query[name]}))
    except ValueError:
        return False
    return True
