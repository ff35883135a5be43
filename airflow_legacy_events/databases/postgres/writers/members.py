"""Members of a set of open PostgreSQL transactions: their ids, and who they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.ports import Blocker

_LOCAL = re.compile(r"(?P<virtual>(?P<slot>\d+)/\d+)@(?P<pid>\d+)(?P<on>\+?)", re.ASCII)
_PREPARED = re.compile(r"xid (\d+)", re.ASCII)
_AFTER_RESTART = "-1/"
"""Begins the virtual id of a transaction that was prepared before the server started."""


class Found(NamedTuple):
    """An open transaction, as `pg_locks` shows it.

    Attributes:
        virtual: its virtual id. A prepared one keeps that of its session until the server restarts.
        pid: of its session; None for a prepared one.
        xid: of a prepared one.
        user: of its session, or who prepared it.
        database: that it works in.
        query_start: when its session's last statement began, if this user may see it.
        gid: name of a prepared one.
        writing: whether it holds or awaits a lock to write to the table, or counts without one. If not, its session is
            waited for until it has no transaction: several may belong to one statement, such as CALL.
    """

    virtual: str
    pid: int | None
    xid: str | None
    user: str | None
    database: str | None
    query_start: dt.datetime | None
    gid: str | None
    writing: bool

    @property
    def id(self) -> str:
        """Id that no later transaction of this server has."""
        return f"xid {self.xid}" if self.pid is None else f"{self.virtual}@{self.pid}{'' if self.writing else '+'}"

    @property
    def blocker(self) -> Blocker:
        """Who it is."""
        return Blocker(self.pid, self.user, self.database, in_utc(self.query_start), self.gid)


def in_utc(moment: dt.datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()


def as_open(rows: Iterable[Iterable[Any]]) -> dict[str, Blocker]:
    """Return who each transaction is, by id."""
    return {one.id: one.blocker for one in map(Found._make, rows)}


def sessions_of(ids: Collection[str]) -> list[int]:
    """Return the processes of local transactions.

    Raises:
        WatermarkError: one of `ids` is not an id of PostgreSQL.
    """
    for one in ids:
        if not _LOCAL.fullmatch(one) and not _PREPARED.fullmatch(one):
            raise WatermarkError(f"the transaction {one!r} of the stored horizon is none of PostgreSQL")
    return [int(found["pid"]) for found in map(_LOCAL.fullmatch, ids) if found]


def remaining(ids: Collection[str], rows: Iterable[Iterable[Any]], *, restarted: bool) -> Mapping[str, Blocker]:
    """Return who still is open of `ids`.

    A local transaction may have been prepared meanwhile. Then it has its virtual id until a restart. Afterwards each
    transaction that was prepared before the restart, and writes to the table, may be it.

    Args:
        ids: of transactions that were open.
        rows: of the transactions that these sessions have now, and of all prepared ones.
        restarted: whether the server was started since; its local transactions have ended.
    """
    found = list(map(Found._make, rows))
    prepared = {one.id: one for one in found if one.pid is None}
    own = [] if restarted else [one for one in found if one.pid is not None]
    local = {(place, one.pid): one for one in own for place in (one.virtual, one.virtual.split("/")[0])}
    kept = {} if restarted else {one.virtual: one for one in prepared.values()}
    unknown = [one for one in prepared.values() if one.writing and one.virtual.startswith(_AFTER_RESTART)]
    lost = next((one for one in unknown if one.id not in ids), None)
    still: dict[str, Blocker] = {}
    for one in ids:
        now = prepared.get(one)
        if parts := _LOCAL.fullmatch(one):
            place = parts["slot" if parts["on"] else "virtual"], int(parts["pid"])
            now = local.get(place) or kept.get(parts["virtual"]) or lost
        if now is not None:
            still[one] = now.blocker
    return still
