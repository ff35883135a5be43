"""A stream's lock as its database shows it to anybody, and as another process holds it, without any of our code."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from tests.services.base import wait_until
from tests.services.mysql_family import connect, run
from tests.support.legacy import Legacy, plain

TABLE = "legacy_events_locks"
COLUMNS = "stream_hash, token, beats, leased_at, holder"
_POSTGRES = """
SELECT (l.classid::bigint << 32) | l.objid::bigint, a.application_name, a.query
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
"""
_MYSQL = """
SELECT id, info FROM information_schema.processlist
 WHERE db = %s AND info LIKE 'SELECT /* legacy-events %%' AND id <> CONNECTION_ID()
"""


def mysql_name(database: str, stream: str) -> str:
    """The lock's name, which holds the database's: locks are the server's."""
    digest = hashlib.sha256(f"{database}\0{stream}".encode()).hexdigest()
    return f"legacy-events-{digest[:40]}"


def shown(legacy: Legacy, stream: str) -> dict[str, Any]:
    """What the one lock that is held in a database looks like."""
    return _SHOWN[legacy.dialect](legacy, stream)


def held(legacy: Legacy, stream: str, kept: Mapping[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Hold a lock just as it was shown."""
    return _HELD[legacy.dialect](legacy, stream, kept)


def _sqlite(legacy: Legacy, stream: str) -> dict[str, Any]:
    (file,) = Path(str(legacy.url.database)).parent.glob("*.lock")
    return {"file": file.name, "content": file.read_text()}


def _firebird(legacy: Legacy, stream: str) -> dict[str, Any]:
    ((hash_, holder),) = legacy.execute(f"SELECT stream_hash, holder FROM {TABLE}")
    return {"hash": hash_, "holder": holder}


def _postgres(legacy: Legacy, stream: str) -> dict[str, Any]:
    ((key, application, query),) = legacy.execute(_POSTGRES)
    return {"key": key, "application": application, "comment": _comment(query)}


def _mysql(legacy: Legacy, stream: str) -> dict[str, Any]:
    database = str(legacy.url.database)
    found = wait_until(lambda: legacy.execute(_MYSQL, database), "the statement that shows the holder", 10)
    ((number, info),) = found
    assert legacy.execute("SELECT IS_USED_LOCK(%s)", mysql_name(database, stream)) == [(number,)]
    return {"comment": _comment(info), "statement": info.replace(_comment(info), "...")}


def _comment(statement: str) -> str:
    return statement[statement.index("/*") : statement.index("*/") + 2]


@contextlib.contextmanager
def _sqlite_held(legacy: Legacy, stream: str, kept: Mapping[str, Any]) -> Iterator[None]:
    with Path(str(legacy.url.database)).with_name(kept["file"]).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(kept["content"])
        file.flush()
        yield


@contextlib.contextmanager
def _firebird_held(legacy: Legacy, stream: str, kept: Mapping[str, Any]) -> Iterator[None]:
    legacy.execute(kept["made"])
    row = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES (?, 'a token', 0, CURRENT_TIMESTAMP, ?)"
    legacy.execute(row, kept["hash"], kept["holder"])
    yield


@contextlib.contextmanager
def _postgres_held(legacy: Legacy, stream: str, kept: Mapping[str, Any]) -> Iterator[None]:
    with psycopg.connect(plain(legacy.url), autocommit=True) as session:
        session.execute(f"{kept['comment']} SELECT pg_advisory_lock({kept['key']})".encode())
        yield


@contextlib.contextmanager
def _mysql_held(legacy: Legacy, stream: str, kept: Mapping[str, Any]) -> Iterator[None]:
    session = connect(legacy.url)
    number = session.thread_id()
    run(session, "SELECT GET_LOCK(%s, 0)", mysql_name(str(legacy.url.database), stream))
    statement = kept["statement"].replace("...", kept["comment"])

    def sleep() -> None:
        with contextlib.suppress(Exception):  # whoever takes over ends the session
            run(session, statement)

    sleeps = threading.Thread(target=sleep)
    sleeps.start()
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            legacy.execute(f"KILL {number}")
        sleeps.join()


_SHOWN: dict[str, Callable[..., dict[str, Any]]] = {
    "sqlite": _sqlite,
    "firebird": _firebird,
    "postgresql": _postgres,
    "mysql": _mysql,
}
_HELD: dict[str, Callable[..., contextlib.AbstractContextManager[None]]] = {
    "sqlite": _sqlite_held,
    "firebird": _firebird_held,
    "postgresql": _postgres_held,
    "mysql": _mysql_held,
}
