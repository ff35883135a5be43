"""Writers port: the sessions and prepared transactions that may still commit rows below a position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports.catalog import TableState


class Written(NamedTuple):
    """Rows whose writers are sought.

    Attributes:
        table: as the user wrote it; None for a query. Of a query or view, every writer of the database counts.
        column: the first column of their position.
        timezone: name of the zone of a naive `column`.
        state: catalog facts of the table, view or query.
    """

    table: str | None
    column: Column
    timezone: str
    state: TableState


class Blocker(NamedTuple):
    """Session, or prepared transaction, that a run waits for. What this user may not see is None.

    Attributes:
        pid: process or connection number.
        user: of its login.
        database: that it works in.
        query_start: when its statement began, ISO 8601 in UTC.
        gid: name of the prepared transaction.
    """

    pid: int | None = None
    user: str | None = None
    database: str | None = None
    query_start: str | None = None
    gid: str | None = None


class WritersLook(NamedTuple):
    """Open writers at one moment.

    Attributes:
        before: of a time column: once `open` have ended, no row below this moment can appear any more; in UTC. None for
            other columns, whose mark is the highest position that was visible before the look.
        open: those that may commit at or below the mark, by an id that no later writer of this server has. It may name
            too many, never too few. Empty if nothing is waited for.
        blocker: whose transaction holds `before` behind the database's clock; None if none does.
        now: the database's clock, in UTC.
        server: what proves later that the ids of `open` are still those of this server, as plain JSON.
    """

    before: dt.datetime | None
    open: Mapping[str, Blocker]
    blocker: Blocker | None
    now: dt.datetime
    server: Mapping[str, Any] = MappingProxyType({})


class RowWriters(Protocol):
    """Writers of the rows of one source. Made without a statement of its own."""

    @property
    def completeness(self) -> str:
        """`exact`, `bounded` or `best_effort`: whether a row may appear below a mark whose writers have all ended."""

    @property
    def reason(self) -> str:
        """The assumption or the known gap behind `completeness`, with the way out, such as a GRANT; never empty."""

    @property
    def tick(self) -> dt.timedelta:
        """The smallest step of a time column's values, such as a second, or a day of a date; zero for other columns."""

    def look(self) -> WritersLook:
        """Return the open writers. A position that was read before is a mark that they may commit below.

        Sessions of this package, and dumps that only read, are left out.

        Raises:
            SourceError: the database failed.
        """

    def remaining(self, ids: Collection[str], server: Mapping[str, Any]) -> Mapping[str, Blocker]:
        """Return those of an earlier look's `open` that have not ended.

        Local transactions end with a restart of the server; prepared ones don't.

        Args:
            ids: of `WritersLook.open`.
            server: `WritersLook.server` of that look.

        Raises:
            WatermarkError: the server does not know the transactions of that look, since it is another one or was set
                back.
            SourceError: the database failed.
        """
