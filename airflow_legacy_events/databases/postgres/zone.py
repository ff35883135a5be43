"""Server time zone, as it is before a session is pinned to UTC."""

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
"""Query for the session's default zone, without any SET. It is sent ahead of our settings and costs no round trip."""

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
"""POSIX zone without daylight saving time: positive offsets are west of UTC."""

_WITH_SUMMER = {"CET": "Europe/Brussels", "MET": "Europe/Brussels", "EET": "Europe/Athens", "WET": "Europe/Lisbon"}
"""Zone names that AT TIME ZONE treats as fixed abbreviations without summer time, mapped to equivalent zones."""

_VARIABLE = "PGTZ"
_lock = threading.Lock()
_connecting = 0
_kept: str | None = None


@contextmanager
def without_variable() -> Iterator[None]:
    """Context in which libpq doesn't send this process's PGTZ: it would hide the server's own zone.

    Several threads may be in it. If the variable is not set, it does nothing.
    """
    global _connecting, _kept  # noqa: PLW0603  the environment is process-wide too
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
    """Return the answer to `QUESTION` from the cursor's results."""
    while cursor.description is None:
        cursor.nextset()
    (said,) = cursor.fetchone() or ("",)
    return ServerZone(_named(said), said)


def find_origin(session: psycopg.Connection[Any]) -> str | None:
    """Return whose setting from ALTER ROLE or ALTER DATABASE gave the session its zone; None if there is none."""
    found = session.execute(_ORIGIN).fetchone()
    return None if found is None else _WORDS[found[0]].format(*found[1:])


def _named(said: str) -> str | None:
    """Return the canonical name of the zone; None if it has none, such as a POSIX rule with summer time."""
    if (name := canonical(said)) is not None:
        return name
    found = _POSIX.fullmatch(said)
    if found is None:
        return None
    west = dt.timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return offset_name(west if found[1] == "-" else -west)


def spelled(name: str) -> str:
    """Return a zone name in the form that AT TIME ZONE expects.

    An offset is written in POSIX form, positive to the west.
    """
    if offset_named(name) is None:
        return _WITH_SUMMER.get(name, name)
    return f"<{name}>{'-' if name[0] == '+' else '+'}{name[1:]}"
