"""Connection extras that libpq, the driver, the PostgreSQL server or a pooler refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases import errors

_UNKNOWN = "is not a libpq connection parameter"
_VALUE = "has a value that libpq does not accept"
_SETTING = "requests a setting that the server refuses"
_POOLER = "is not accepted by the pooler that the connection leads to, unless its ignore_startup_parameters names it"
# Message patterns, each with the extra's name as a group, or with the extra that it is about.
_SAID = (
    (re.compile(r'invalid connection option "([^"]+)"'), None, _UNKNOWN),
    (re.compile(r"(?:multiple values for|unexpected keyword) argument '(\w+)'"), None, _UNKNOWN),
    (re.compile(r'invalid "?(\w+)"? value: '), None, _VALUE),
    (re.compile(r'invalid integer value ".*" for connection option "(\w+)"', re.DOTALL), None, _VALUE),
    (re.compile(r"bad value for (\w+): "), None, _VALUE),
    (re.compile(r"\b(sslmode|gssencmode) value .* invalid when", re.DOTALL), None, _VALUE),
    (re.compile(r"(?:root certificate|CRL) file "), "sslrootcert", "names a file that can't be read"),
    (re.compile(r"private key file "), "sslkey", "names a file that can't be read"),
    (re.compile(r"certificate file "), "sslcert", "names a file that can't be read"),
    (re.compile(r"definition of service |service file "), "service", "names a service that is in no service file"),
    (re.compile(r"could not parse network address "), "hostaddr", _VALUE),
    (re.compile(r"unsupported startup parameter: (\w+)"), None, _POOLER),
    (re.compile(r"unsupported startup parameter in options"), "options", _POOLER),
    (re.compile(r'invalid value for parameter "(\w+)"'), None, _SETTING),
    (
        re.compile(r"(?:unrecognized configuration|invalid value for|permission denied to set) parameter"),
        "options",
        _SETTING,
    ),
    (re.compile(r"parameter .* cannot be (?:changed|set)", re.DOTALL), "options", _SETTING),
    (re.compile(r"command-line argument|:\s+-\S+ requires a value"), "options", _SETTING),
)


@contextmanager
def refusing(conn_id: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Translate a refused connection option to an error that names its extra, but not the extra's value.

    Args:
        conn_id: Airflow's name of the connection.
        options: of the driver; those that don't come from extras are recognized by name.

    Raises:
        ConfigurationError: an option was refused.
    """
    try:
        yield
    except (psycopg.Error, TypeError, ValueError) as error:
        if (refused := _refused(conn_id, options, str(error))) is not None:
            raise refused from None
        raise


def _refused(conn_id: str, options: Mapping[str, Any], said: str) -> ConfigurationError | None:
    for pattern, about, why in _SAID:
        found = pattern.search(said)
        name = None if found is None else about or found[1]
        if name in options:
            return errors.refused_extra(conn_id, str(name), why)
    return None
