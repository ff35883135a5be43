"""Connection test: what it reports about the database."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    """What a database reports about itself and about the connected user.

    Attributes:
        server: product and version.
        database: its name on the server, or its file.
        zone: time zone of the clock that naive times are written by; None if the database reports none.
        role: of the session; None where there is none.
        may_write: whether that role may change rows of at least one table; None if unknown.
        standby: whether its rows are replicated from another server.
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
            f"clock in {self.zone}" if self.zone else "the time zone of its clock is not reported",
            f"role {self.role}" if self.role else "no role",
            _WRITES[self.may_write],
            *(["a standby"] if self.standby else []),
        ]
        return "; ".join(parts)


_WRITES = {
    True: "may write to tables, which reading does not need",
    False: "may not write to any table, which reading does not need",
    None: "whether it may write is not known",
}
