"""What a test of a connection tells of the database behind it."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    """What a database says of itself and of who asks.

    Attributes:
        server: product and version.
        database: its name on the server, or its file.
        zone: of the clock that naive times are written by; None where the database tells none.
        role: that the session has; None where there is none.
        may_write: whether that role may change rows of at least one table; None where that is not known.
        standby: whether its rows arrive from another server.
    """

    server: str
    database: str
    zone: str | None = None
    role: str | None = None
    may_write: bool | None = None
    standby: bool = False

    def __str__(self) -> str:
        parts = [
            self.server,
            f"database {self.database}",
            f"clock in {self.zone}" if self.zone else "the zone of its clock is not told",
            f"role {self.role}" if self.role else "no role",
            _WRITES[self.may_write],
            *(["a standby"] if self.standby else []),
        ]
        return "; ".join(parts)


_WRITES = {
    True: "may write to tables, which reading does not need",
    False: "may not write to any table, which reading does not need",
    None: "whether it may write is not told",
}
