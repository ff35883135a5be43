"""Logins by PyMySQL from the connection that mysqlclient uses: the driver has no call for the binlog."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.errors import one_line, refused_extra
from airflow_legacy_events.databases.mysql import tls
from airflow_legacy_events.databases.mysql.changelog.wire import Wire
from airflow_legacy_events.databases.mysql.option_file import with_file
from airflow_legacy_events.databases.mysql.session import code_of, reason

OPENING = "opening a session for the binlog"
PROGRAM = "airflow-legacy-events"
"""Name of these sessions in the server's list of connections, where it has one."""

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 30
"""For an answer before the stream begins: nothing can end this wait."""

_LOCAL = ("", "localhost")
_SOCKETS = ("/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
_EITHER = ("", "PREFERRED")
_NO_TLS = "SSL is required"
_NO_PLUGIN = frozenset({2059, 2061})
_PACKAGES = {"ed25519": "PyMySQL[ed25519]", "sha256": "PyMySQL[rsa]"}
"""Extras of PyMySQL that bring what it lacks for a method of authentication, by a word of its error."""


def connect(conn_id: str, options: Mapping[str, Any], timeout_seconds: float) -> Wire:
    """Log in to the server that the options name, with their user and TLS.

    Args:
        conn_id: Airflow's name of the connection.
        options: of mysqlclient, from the connection. `compress`, and what concerns values alone, has no use here.
        timeout_seconds: of silence, behind which the server counts as lost.

    Raises:
        ConfigurationError: PyMySQL can't authenticate this user, an option is refused, or TLS is not to be had.
        SourceError: the server can't be reached, or refuses the user.
    """
    given = with_file(conn_id, options)
    requested = tls.requested(conn_id, given)
    fields = {**_fields(conn_id, given), "read_timeout": min(timeout_seconds, _ANSWER_SECONDS)}
    mode, files = str(requested.options.get("ssl_mode") or ""), dict(requested.options.get("ssl") or {})
    context = _context(conn_id, mode, files)
    try:
        wire = Wire(_logged_in(fields, mode, context), timeout_seconds)
    except Exception as error:  # noqa: BLE001  what a server sends that PyMySQL does not expect raises anything
        raise _refused(conn_id, error, requested.by) from None
    if requested.by is not None and not wire.encrypted:
        wire.close()
        raise tls.not_encrypted(conn_id, requested.by)
    return wire


def _logged_in(fields: Mapping[str, Any], mode: str, context: ssl.SSLContext | None) -> Any:
    fixed = {**fields, "charset": "utf8mb4", "autocommit": True, "program_name": PROGRAM}
    if context is None:
        return pymysql.connect(**fixed, ssl_disabled=True)
    try:
        return pymysql.connect(**fixed, ssl=context)
    except pymysql.OperationalError as error:
        if mode not in _EITHER or "SSL" not in str(error):
            raise
        return pymysql.connect(**fixed, ssl_disabled=True)


def _fields(conn_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    host = str(given.get("host") or "")
    named = given.get("unix_socket") or (_socket() if host in _LOCAL else None)
    if (key := given.get("server_public_key_path")) and not Path(key).is_file():
        raise refused_extra(conn_id, "server_public_key_path", "names a file that does not exist")
    password = given.get("password") or given.get("passwd") or ""
    found = {
        "host": host or "localhost",
        "port": int(given.get("port") or 0),
        "user": given.get("user"),
        "password": password.encode() if isinstance(password, str) else password,
        "database": given.get("database") or given.get("db"),
        "unix_socket": named,
        "connect_timeout": int(given.get("connect_timeout") or _CONNECT_SECONDS),
        "write_timeout": given.get("write_timeout"),
        "init_command": given.get("init_command"),
        "server_public_key": Path(key).read_bytes() if key else None,
        "client_flag": CLIENT.FOUND_ROWS,
    }
    return {name: value for name, value in found.items() if value is not None}


def _socket() -> str | None:
    """Return the local server's socket, which mysqlclient uses for `localhost`; None where there is none."""
    return next((path for path in _SOCKETS if Path(path).exists() and stat.S_ISSOCK(Path(path).stat().st_mode)), None)


def _context(conn_id: str, mode: str, files: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what encrypts and verifies as `tls.requested` says; None without TLS."""
    if mode == "DISABLED":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's authorities, which take 40 ms to load
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that a server made for itself lack what it wants
    context.check_hostname = mode == "VERIFY_IDENTITY"
    verified = mode in ("VERIFY_CA", "VERIFY_IDENTITY") or files.keys() & {"ca", "capath"}
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    try:
        if files.keys() & {"ca", "capath"}:
            context.load_verify_locations(files.get("ca"), files.get("capath"))
        elif verified:
            context.load_default_certs()
        if "cert" in files:
            context.load_cert_chain(files["cert"], keyfile=files.get("key"))
        if "cipher" in files:
            context.set_ciphers(files["cipher"])
    except (OSError, ValueError) as error:
        names = ", ".join(f"ssl_{name}" for name in sorted(files))
        raise refused_extra(conn_id, names, f"can't be used for TLS: {one_line(error)}") from None
    return context


def _refused(conn_id: str, error: Exception, by: str | None) -> LegacyEventsError:
    said = one_line(error)
    for word, package in _PACKAGES.items():
        if isinstance(error, RuntimeError) and word in said:
            return ConfigurationError(
                f"pip install '{package}' where the tasks run, or let connection {conn_id!r} use another user: PyMySQL,"
                f" which reads the binlog, lacks a package for this user's plugin: {said}. Nothing was read"
            )
    if code_of(error) in _NO_PLUGIN:
        return ConfigurationError(
            f"let connection {conn_id!r} use a user of caching_sha2_password, mysql_native_password or ed25519:"
            f" PyMySQL, which reads the binlog, lacks this user's plugin: {reason(error)}. Nothing was read"
        )
    if by is not None and _NO_TLS in said:
        return tls.not_encrypted(conn_id, by)
    return errors.failed(conn_id, OPENING, reason(error))
