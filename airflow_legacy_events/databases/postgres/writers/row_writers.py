"""Writers of a PostgreSQL table's rows; see `core.ports.RowWriters`."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import Any

from psycopg import sql

from airflow_legacy_events.core import clock_margin
from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.ports import Blocker, WritersLook, Written
from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.entries import MATERIALIZED, VIEW
from airflow_legacy_events.databases.postgres.server import Server
from airflow_legacy_events.databases.postgres.writers import statements
from airflow_legacy_events.databases.postgres.writers.judging import judged
from airflow_legacy_events.databases.postgres.writers.members import as_open, in_utc, remaining, sessions_of
from airflow_legacy_events.databases.postgres.writers.served import NOW, Now, restarted
from airflow_legacy_events.databases.postgres.writers.times import clocks_of
from airflow_legacy_events.databases.verdict import Judged, Verdict

Ask = Callable[..., list[list[Any]]]
Behind = Callable[[Mapping[str, Any]], str | None]
_DIGITS = re.compile(r"\((\d)\)")
_MOST_DIGITS = 6


class PostgresRowWriters(Judged):
    """Sets of open transactions, from `pg_locks` and `pg_stat_activity`.

    Ids: each transaction that holds or awaits RowExclusiveLock on the table, its partitions and children, or the
    sequence of its ids; each user sees that. `nextval` locks the sequence until its transaction ends. Times: the oldest
    begin of any session of the database holds the mark back; one that shows none is waited for. Of a view or query, the
    locks on all tables count.

    Args:
        of: the rows.
        ask: runs statements on the session that reads, in one message and transaction, and returns the rows of each;
            the first argument says what for.
        server: reads the server's identity and WAL position.
        behind: see `core.ports.Database.behind`, of the server as it is now.
    """

    def __init__(self, of: Written, ask: Ask, server: Callable[[], Server], behind: Behind) -> None:
        self._of, self._ask, self._server, self._behind = of, ask, server, behind
        facts = of.state.writing
        whole = of.table is None or (facts is not None and facts.kind in (VIEW, MATERIALIZED))
        self._table = None if whole else table_of(str(of.table))

    def _judgement(self) -> Verdict:
        return judged(self._of)

    @property
    def tick(self) -> dt.timedelta:
        """See `core.ports.RowWriters.tick`."""
        if not self._timed:
            return dt.timedelta()
        if self._of.column.kind is Kind.DATE:
            return dt.timedelta(days=1)
        digits = _DIGITS.search(self._of.column.type)
        tick = dt.timedelta(microseconds=10 ** (_MOST_DIGITS - (int(digits[1]) if digits else _MOST_DIGITS)))
        return max([tick, *(one.step for one in clocks_of(self._of))])

    @property
    def _timed(self) -> bool:
        return self._of.column.kind in TEMPORAL

    def look(self) -> WritersLook:
        """See `core.ports.RowWriters.look`."""
        look, now = self._times() if self._timed else self._ids()
        return look._replace(server=now.facts(self._server().position)) if look.open else look

    def _ids(self) -> tuple[WritersLook, Now]:
        [[now], [(clock, _)], rows] = self._look(statements.CLOCK, statements.writing(self._table))
        return WritersLook(None, as_open(rows), None, clock.astimezone(dt.UTC)), Now(*now)

    def _times(self) -> tuple[WritersLook, Now]:
        untimed = statements.untimed(self._table, follow=self._follow)
        looks = self._look(statements.CLOCK, statements.OLDEST, *self._repeated(untimed))
        [[now], [(clock, replayed)], oldest, *found] = looks
        before, blocker = min(clock, replayed or clock), None
        for since, pid, user, database, query_start in oldest:
            if since < before:
                before, blocker = since, Blocker(pid, user, database, in_utc(query_start))
        mark = (before - clock_margin.CLOCK_MARGIN).astimezone(dt.UTC)
        return WritersLook(mark, as_open(chain(*found)), blocker, clock.astimezone(dt.UTC)), Now(*now)

    def remaining(self, ids: Collection[str], server: Mapping[str, Any]) -> Mapping[str, Blocker]:
        """See `core.ports.RowWriters.remaining`."""
        still_open = statements.still_open(self._table, sessions_of(ids))
        [[now], *found] = self._look(*self._repeated(still_open))
        return remaining(ids, chain(*found), restarted=restarted(server, Now(*now), self._behind))

    @functools.cached_property
    def _follow(self) -> bool:
        """Whether rows may have the time of a statement, such as CALL, that has several transactions."""
        return self._timed and any(one.of_statement for one in clocks_of(self._of))

    def _repeated(self, statement: sql.Composable) -> list[sql.Composable]:
        """Return a statement twice if need be: between two transactions of CALL there is none for some microseconds."""
        return [statement] * (2 if self._follow else 1)

    def _look(self, *asked: str | sql.Composable) -> list[list[Any]]:
        return self._ask("looking for open writers", statements.FRESH, NOW, *asked)[1:]
