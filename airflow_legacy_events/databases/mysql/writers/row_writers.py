"""Writers of the rows of one source in MySQL or MariaDB; see `core.ports.RowWriters`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from airflow_legacy_events.core import clock_margin
from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.ports import Blocker, WritersLook, Written
from airflow_legacy_events.databases.mysql.writers.judging import GRANT, judged
from airflow_legacy_events.databases.mysql.writers.listing import DeniedError, Lister, Listing
from airflow_legacy_events.databases.mysql.writers.members import Judge, Member
from airflow_legacy_events.databases.mysql.writers.process import Process
from airflow_legacy_events.databases.mysql.writers.rules import may_commit
from airflow_legacy_events.databases.mysql.writers.times import tick_of
from airflow_legacy_events.databases.verdict import BEST_EFFORT, Judged, Verdict


class MysqlRowWriters(Judged):
    """Sets of open transactions and running statements, from `innodb_trx` and the process list.

    Neither says which table a transaction writes, so every session of the server counts; see `rules`.

    Args:
        of: the rows.
        conn_id: Airflow's name of the connection.
        lister: of the server.
        process: of the server.
        now: returns the database's clock.
        prepared: returns the names of prepared transactions, as far as this user may see them.
        is_galera: whether the server is a node of a Galera cluster.
    """

    def __init__(
        self,
        of: Written,
        conn_id: str,
        lister: Lister,
        process: Process,
        now: Callable[[], dt.datetime],
        prepared: Callable[[], Iterable[str]],
        is_galera: Callable[[], bool],
    ) -> None:
        self._of, self._conn_id, self._lister, self._process = of, conn_id, lister, process
        self._now, self._prepared, self._is_galera = now, prepared, is_galera
        self._judge = Judge(of_times=self._timed)

    def _judgement(self) -> Verdict:
        return judged(self._of, is_galera=self._is_galera())

    @property
    def tick(self) -> dt.timedelta:
        """See `core.ports.RowWriters.tick`."""
        return tick_of(self._of) if self._timed else dt.timedelta()

    @property
    def _timed(self) -> bool:
        return self._of.column.kind in TEMPORAL

    def look(self) -> WritersLook:
        """See `core.ports.RowWriters.look`."""
        try:
            listing = self._taken()
        except DeniedError:
            self._refuse_denied()
            now = self._now()
            return WritersLook(self._mark(now), {}, None, now)
        found = self._members(listing)
        for one in found:
            self._judge.forget(one)
        numbers = (int(one.id) for one in listing.transactions if one.is_numbered)
        server = self._process.facts(max(numbers, default=0)) if found else {}
        return WritersLook(self._mark(listing.now), found, None, listing.now, server)

    def remaining(self, ids: Collection[str], server: Mapping[str, Any]) -> Mapping[str, Blocker]:
        """See `core.ports.RowWriters.remaining`."""
        if not ids:
            return {}
        try:
            listing = self._taken()
        except DeniedError:
            self._refuse_denied()
            return {}
        is_over = self._process.is_over(server)
        left = {one for one in ids if self._judge.is_open(one, listing, is_over=is_over)}
        return {one: self._blocker(Member.read(one), listing) for one in ids if one in left}

    def _taken(self) -> Listing:
        facts = self._of.state.writing
        if facts is not None and facts.name and not facts.sees_all:
            raise DeniedError
        return self._lister.take()

    def _mark(self, now: dt.datetime) -> dt.datetime | None:
        return now - clock_margin.CLOCK_MARGIN if self._timed else None

    def _members(self, listing: Listing) -> dict[str, Blocker]:
        sessions = {*listing.before, *listing.after}
        found = [
            Member.of(one, listing.of(one))
            for one in sorted(sessions)
            if may_commit(one, listing, of_times=self._timed)
        ]
        found += [
            Member.of(one.thread, one) for one in listing.transactions if one.changed and one.thread not in sessions
        ]
        return {str(one): self._blocker(one, listing) for one in found}

    def _blocker(self, member: Member, listing: Listing) -> Blocker:
        thread = next((one.thread for one in listing.transactions if one.id == member.number), member.thread)
        client = listing.after.get(thread) or listing.before.get(thread)
        if client is None:
            return Blocker(gid=" or ".join(self._prepared()) or None)
        since = None if client.since is None else client.since.isoformat()
        return Blocker(client.number, client.user, client.database, since)

    def _refuse_denied(self) -> None:
        """Refuse to go on if the right was there when the run began."""
        if self.completeness != BEST_EFFORT:
            raise SourceError(
                f"connection {self._conn_id!r}: open transactions can't be listed any more. Run the GRANT below:"
                f"\n{GRANT.format(user=self._of.state.writing.user)}"
            )
