"""The zone of the server, as it is before a session is pinned to UTC."""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from airflow_legacy_events.core.ports import ServerZone
from airflow_legacy_events.core.zones import canonical, offset_name, offset_named

QUESTION = b"RESET TimeZone; SHOW TimeZone; "
"""Tells what the session would have without a SET; it stands before our settings, and costs no round trip."""

_ORIGIN = """
SELECT CASE WHEN s.setrole OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN 'role'
            WHEN s.setdatabase OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN 'database' ELSE 'roles' END,
       SESSION_USER::pg_catalog.text, pg_catalog.current_database()::pg_catalog.text
  FROM pg_catalog.pg_db_role_setting AS s
 WHERE pg_catalog.array_to_string(s.setconfig, E'\\n') OPERATOR(pg_catalog.~*) '(^|\\n)timezone='
   AND s.setrole OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid, (SELECT r.oid FROM pg_catalog.pg_roles AS r
         WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER)])
   AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid, (SELECT d.oid FROM pg_catalog.pg_database AS d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())])
 ORDER BY s.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid, s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid
 LIMIT 1
"""
_WORDS = {"role": "the role {0!r}", "database": "the database {1!r}", "roles": "all roles"}

_POSIX = re.compile(r"(?:<[^<>]*>|[A-Za-z]*)([+-]?)(\d{1,2})(?::([0-5]\d))?")
"""A zone that is the same all year, as POSIX writes it: the sign is that of the west."""

_WITH_SUMMER = {"CET": "Europe/Brussels", "MET": "Europe/Brussels", "EET": "Europe/Athens", "WET": "Europe/Lisbon"}
"""Names that AT TIME ZONE takes for abbreviations, without summer time, and zones that have the same clock."""

_VARIABLE = "PGTZ"
_lock = threading.Lock()
_connecting = 0
_kept: str | None = None


@contextmanager
def without_variable() -> Iterator[None]:
    """A context in which libpq tells a server nothing of this process's PGTZ, which would hide the server's own zone.

    Several threads may be in it; where the variable is not set it does nothing.
    """
    global _connecting, _kept  # noqa: PLW0603  the environment is one for the process, too
    with _lock:
        if not _connecting:
            _kept = os.environ.pop(_VARIABLE, None)
        _connecting += 1
    try:
        yield
    finally:
        with _lock:
            _connecting -= 1
            if not _connecting and _kept is not None:
                os.environ.setdefault(_VARIABLE, _kept)


def read_zone(cursor: psycopg.Cursor[Any]) -> ServerZone:
    """Return the answer to `QUESTION`, whose results the cursor has."""
    while cursor.description is None:
        cursor.nextset()
    (said,) = cursor.fetchone() or ("",)
    return ServerZone(_named(said), said)


def find_origin(session: psycopg.Connection[Any]) -> str | None:
    """Return for what the session's zone was set by ALTER ROLE or ALTER DATABASE; None where it was not."""
    found = session.execute(_ORIGIN).fetchone()
    return None if found is None else _WORDS[found[0]].format(*found[1:])


def _named(said: str) -> str | None:
    """Return the zone's name as it is known here; None where there is none, such as a POSIX rule of summer time."""
    if (name := canonical(said)) is not None:
        return name
    found = _POSIX.fullmatch(said)
    if found is None:
        return None
    west = dt.timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return offset_name(west if found[1] == "-" else -west)


def spelled(name: str) -> str:
    """Return a zone of ours as AT TIME ZONE takes it: of an offset in POSIX's way, whose sign is that of the west."""
    if offset_named(name) is None:
        return _WITH_SUMMER.get(name, name)
    return f"<{name}>{'-' if name[0] == '+' else '+'}{name[1:]}"
