"""MySQL option files (`my.cnf`): only their connection options are used.

The driver itself would use every option, with the file's `local-infile` overriding ours, and silently ignore a missing
file.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.errors import refused_extra

_FILE, _GROUP = "read_default_file", "read_default_group"
_GROUPS = ("client", "client-server", "client-mariadb")
_NAMES = {
    **{name: name for name in ("host", "user", "port", "init_command", "connect_timeout")},
    **{f"ssl_{name}": f"ssl_{name}" for name in ("ca", "capath", "cert", "key", "cipher", "mode")},
    "password": "passwd",
    "socket": "unix_socket",
    "database": "db",
    "default_auth": "auth_plugin",
    "ssl_verify_server_cert": "ssl_verify_identity",
    "ssl": "ssl_required",
    "ssl_enforce": "ssl_required",
}
"""Driver options by name in the file. Any other is not a connection option, or is fixed for every session here."""

_OTHER_LINES = re.compile(r"^\s*(?:!|\[[^\]\n]*$)", re.MULTILINE)
"""Lines that include other files, and unterminated group headers."""

_NUMBERS = ("port", "connect_timeout")


def with_file(conn_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connection's options, followed by those from its option file.

    Args:
        conn_id: Airflow's name of the connection.
        options: of the driver.

    Raises:
        ConfigurationError: the file can't be read.
    """
    rest = {name: value for name, value in options.items() if name not in (_FILE, _GROUP)}
    if _FILE not in options:
        if _GROUP in options:
            raise refused_extra(conn_id, _GROUP, f"needs {_FILE} beside it")
        return rest
    found = _read(conn_id, str(options[_FILE]), str(options.get(_GROUP, "")))
    return {**found, **{name: value for name, value in rest.items() if value not in ("", None)}}


def _read(conn_id: str, path: str, group: str) -> dict[str, Any]:
    parser = configparser.RawConfigParser(allow_no_value=True, strict=False, delimiters=("=",))
    try:
        text = Path(path).read_text()
        parser.read_string(text)
    except (OSError, UnicodeDecodeError):
        raise refused_extra(conn_id, _FILE, "names a file that does not exist or can't be read") from None
    except configparser.Error:
        raise _unknown(conn_id) from None
    if _OTHER_LINES.search(text):
        raise _unknown(conn_id)
    found: dict[str, Any] = {}
    for section in (*_GROUPS, group):
        for written, value in parser.items(section) if parser.has_section(section) else ():
            if name := _NAMES.get(written.replace("-", "_")):
                found[name] = _bare(value)
    return {name: int(value) if name in _NUMBERS and value.isdecimal() else value for name, value in found.items()}


def _unknown(conn_id: str) -> ConfigurationError:
    return refused_extra(conn_id, _FILE, "names a file whose lines are not all `[group]`, `name` or `name=value`")


def _bare(value: str | None) -> str:
    """Return the value of a line; a missing value means true."""
    text = "1" if value is None else value.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text
