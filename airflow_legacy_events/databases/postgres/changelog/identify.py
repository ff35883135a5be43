"""The server of a replication session: its identity, and where its timelines forked."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

_ITSELF = """
SELECT pg_catalog.pg_is_in_recovery(),
       pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.text,
       coalesce(pg_catalog.host(pg_catalog.inet_server_addr()), 'a local socket')
"""


class Itself(NamedTuple):
    """What tells two running servers apart, a primary and its standby too.

    Attributes:
        standby: whether it is one.
        started: when its process started.
        address: of the server, as it knows it.
    """

    standby: bool
    started: str
    address: str

    def told(self) -> str:
        """Return it in words."""
        return f"a {'standby' if self.standby else 'primary'} at {self.address}, started at {float(self.started):.0f}"


class Identified(NamedTuple):
    """Answer to IDENTIFY_SYSTEM, which knows a new timeline at once.

    Attributes:
        system: the cluster's system identifier.
        timeline: of the log.
        database: that the session is connected to.
        itself: the running server.
    """

    system: str
    timeline: int
    database: str
    itself: Itself

    @property
    def server(self) -> dict[str, str]:
        """As the watermark keeps it."""
        return {"system_identifier": self.system, "timeline": str(self.timeline), "database": self.database}


def identify(session: Connection[Any]) -> Identified:
    """Return the identity of a replication session's server.

    Raises:
        psycopg.Error: the session failed.
    """
    [(system, timeline, _, database)] = psycopg.Cursor(session).execute(b"IDENTIFY_SYSTEM").fetchall()
    return Identified(str(system), int(timeline), str(database), itself(session))


def itself(session: Connection[Any]) -> Itself:
    """Return what tells a session's running server apart; for sessions of any kind."""
    [row] = psycopg.Cursor(session).execute(_ITSELF.encode()).fetchall()
    return Itself(*row)


def switch_point(session: Connection[Any], timeline: int, of: int) -> str | None:
    """Return the place where a timeline left an earlier one; None if it never was on that one.

    Args:
        session: of replication.
        timeline: the present one, above 1.
        of: the earlier one.
    """
    [(_, content)] = psycopg.Cursor(session).execute(f"TIMELINE_HISTORY {timeline:d}".encode()).fetchall()
    text = content.decode() if isinstance(content, bytes) else str(content)
    for line in text.splitlines():
        parent, place, *_ = [*line.split("\t"), "", ""]
        if parent.strip() == str(of):
            return place.strip()
    return None
