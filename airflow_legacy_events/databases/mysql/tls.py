"""TLS for MySQL and MariaDB sessions: the requested mode is passed to the driver, and the result is verified.

mysqlclient passes `ssl_mode` to MySQL's own library. With MariaDB Connector/C, neither REQUIRED nor a CA has any effect
against a server without TLS. Before release 3.4 that library checks the certificate chain whenever a CA is given. From
3.4 on it does so only together with the host name.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from MySQLdb import _mysql

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.errors import refused_extra

_DISABLED, _PREFERRED, _REQUIRED, _VERIFY_CA, _VERIFY_IDENTITY = _MODES = (
    "DISABLED",
    "PREFERRED",
    "REQUIRED",
    "VERIFY_CA",
    "VERIFY_IDENTITY",
)
_ASKS = {
    "required": _REQUIRED,
    "verify_cert": _VERIFY_CA,
    **dict.fromkeys(("verify_identity", "check_hostname"), _VERIFY_IDENTITY),
}
"""Equivalent extras of other drivers, with the prefix `ssl_` or inside `ssl`."""

_FILES = {"ca": os.path.isfile, "cert": os.path.isfile, "key": os.path.isfile, "capath": os.path.isdir}
_CHECKS_BY_A_CA = re.compile(r"3\.[0-3]\.")
"""Releases of MariaDB Connector/C that check the chain whenever a CA is given, in any mode."""

_CAPSULE = b"_mysql.connection.native_connection"


class Requested(NamedTuple):
    """TLS as requested by a connection.

    Attributes:
        options: of the driver.
        by: extra that requests it; None if an unencrypted session is acceptable.
    """

    options: dict[str, Any]
    by: str | None


def requested(conn_id: str, options: Mapping[str, Any]) -> Requested:
    """Return the TLS options for the driver.

    Args:
        conn_id: Airflow's name of the connection.
        options: of the connection, as SQLAlchemy passes them to mysqlclient.

    Raises:
        ConfigurationError: a file is missing, or the mode is invalid.
    """
    given = {name.removeprefix("ssl_"): value for name, value in options.items() if name.startswith("ssl_")}
    given |= options.get("ssl") or {}
    rest = {name: value for name, value in options.items() if name != "ssl" and not name.startswith("ssl_")}
    mode = str(given.pop("mode", "")).upper()
    if mode not in ("", *_MODES):
        raise refused_extra(conn_id, "ssl_mode", f"is not one of {', '.join(_MODES)}")
    switched_off = _is_true(given.pop("disabled", "0"))
    asks = {name: stated for name, stated in _ASKS.items() if _is_true(given.pop(name, "0"))}
    if mode == _DISABLED or (switched_off and not mode):
        return Requested({**rest, "ssl_mode": _DISABLED}, None)
    _check_files(conn_id, given)
    unknown = {f"ssl_{name}": given.pop(name) for name in list(given) if name not in (*_FILES, "cipher")}
    if not (mode or given or asks):
        return Requested(rest | unknown, None)
    wanted = mode or max([_REQUIRED, *asks.values()], key=_MODES.index)
    by = "ssl_mode" if mode else f"ssl_{next(iter(given or asks))}"
    if given.keys() & {"ca", "capath"} and wanted == _REQUIRED and not _CHECKS_BY_A_CA.match(_mysql.get_client_info()):
        wanted = _VERIFY_CA
    made = {**rest, **unknown, "ssl_mode": wanted, **({"ssl": given} if given else {})}
    return Requested(made, None if wanted == _PREFERRED else by)


def prove(conn_id: str, connection: Any, by: str) -> None:
    """Check on the client side that a session is encrypted: a proxy would report its own connection to the server.

    Args:
        conn_id: Airflow's name of the connection.
        connection: mysqlclient's.
        by: extra that requested it.

    Raises:
        ConfigurationError: it is not encrypted.
    """
    if not _cipher(connection):
        raise not_encrypted(conn_id, by)


def not_encrypted(conn_id: str, by: str) -> ConfigurationError:
    """Return the error for a session without TLS, which extra `by` requires."""
    return ConfigurationError(
        f"enable TLS on the server of connection {conn_id!r}, or remove extra {by!r}: it requires TLS, and the"
        " server, or a proxy before it, opened a session without TLS. Nothing was read"
    )


def _check_files(conn_id: str, given: Mapping[str, Any]) -> None:
    for name, is_there in _FILES.items():
        if name in given and not (is_there(given[name]) and os.access(given[name], os.R_OK)):
            what = "folder" if name == "capath" else "file"
            raise refused_extra(conn_id, f"ssl_{name}", f"names a {what} that does not exist or can't be read")


def _cipher(connection: Any) -> str:
    """Return the cipher of a session from the driver's own library; empty without TLS."""
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    try:
        cipher_of = ctypes.CDLL(_mysql.__file__).mysql_get_ssl_cipher
        session = address(connection._get_native_connection(), _CAPSULE)  # noqa: SLF001  no public name
    except (AttributeError, OSError, ValueError):  # a different driver build: query the server instead
        connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        [(_, found)] = connection.store_result().fetch_row(0)
        return str(found or "")
    cipher_of.restype, cipher_of.argtypes = ctypes.c_char_p, (ctypes.c_void_p,)
    return (cipher_of(session) or b"").decode()


def _is_true(value: object) -> bool:
    return str(value).lower() in ("1", "true", "yes", "on")
