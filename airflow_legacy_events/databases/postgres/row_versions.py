"""Row versions of PostgreSQL: `xmin`, the transaction that wrote a row, and `ctid`, its place in the file.

Rows are read by ranges of `ctid`, which PostgreSQL serves by reading just these blocks, from release 14 on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from psycopg import sql

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.ports import Blocker, VersionBlocker, VersionHorizon, VersionStorage
from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.entries import FOREIGN, MATERIALIZED, PARTITIONED, TABLE, VIEW
from airflow_legacy_events.databases.postgres.versions import VERSION
from airflow_legacy_events.databases.postgres.writers.members import in_utc

SINCE = 140_000
_XIDS = 1 << 32
_FIRST_NORMAL = 3
"""Lower numbers are no transactions: rows of the server itself, and those that pg_upgrade took over from 9.3."""

_KINDS = {VIEW: "a view", PARTITIONED: "partitioned", FOREIGN: "a foreign table", MATERIALIZED: "a materialized view"}
_PLACE = re.compile(r"\(([0-9]+),[0-9]+\)", re.ASCII)
_KIND = """
SELECT relkind::pg_catalog.text, relhassubclass, pg_catalog.current_setting('server_version_num')::pg_catalog.int4
  FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) {}
"""
_HORIZON = """
SELECT pg_catalog.pg_snapshot_xmin(now)::pg_catalog.text, pg_catalog.pg_snapshot_xmax(now)::pg_catalog.text
  FROM pg_catalog.pg_current_snapshot() AS now
"""
# pg_locks shows the numbers that are in use to every user, those of prepared transactions and other databases too.
_BLOCKER = """
SELECT l.pid, coalesce(a.usename, p.owner)::pg_catalog.text, coalesce(a.datname, p.database)::pg_catalog.text,
       a.query_start, p.gid,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
                                     coalesce(a.xact_start, p.prepared))
  FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
  LEFT JOIN pg_catalog.pg_prepared_xacts AS p
    ON p.transaction::pg_catalog.text OPERATOR(pg_catalog.=) l.transactionid::pg_catalog.text
 WHERE l.locktype OPERATOR(pg_catalog.=) 'transactionid' AND l.granted
   AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
 ORDER BY pg_catalog.age(l.transactionid) DESC LIMIT 1
"""
# These functions see the current file even inside an older snapshot.
_STORAGE = """
SELECT pg_catalog.pg_relation_filenode({table})::pg_catalog.text,
       pg_catalog.pg_relation_size({table}) OPERATOR(pg_catalog./)
         pg_catalog.current_setting('block_size')::pg_catalog.int8
"""
_WRITER = "xmin::pg_catalog.text::pg_catalog.int8"
# Circular order: how far a writer lies behind a number, modulo 2^32.
_WITHIN = (
    f"({_WRITER} OPERATOR(pg_catalog.>=) {_FIRST_NORMAL} AND"
    f" ({_WRITER} OPERATOR(pg_catalog.-) {{low}} OPERATOR(pg_catalog.+) {_XIDS}) OPERATOR(pg_catalog.%) {_XIDS}"
    " OPERATOR(pg_catalog.<) {width})"
)
_NEXT = "pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8"


class PostgresRowVersions:
    """See `core.ports.RowVersions`.

    Args:
        table: as the user wrote it.
        look: runs a statement on the session that reads rows, within its snapshot if there is one; the first argument
            says what for.
    """

    version = VERSION
    place = Column("ctid", Kind.TEXT, "tid", nullable=False)

    def __init__(self, table: str, look: Callable[[str, sql.Composable], list[tuple[Any, ...]]]) -> None:
        self._table, self._look = table_of(table), look

    def refusal(self) -> str | None:
        """See `core.ports.RowVersions.refusal`."""
        found = self._look("looking for the table", sql.SQL(_KIND).format(self._table))
        kind, parent, release = found[0] if found else (TABLE, False, SINCE)
        if int(release) < SINCE:
            return "needs PostgreSQL 14 or later: older releases can't read a range of blocks"
        if kind != TABLE:
            return f"is for plain tables, and this is {_KINDS.get(kind, 'another kind of relation')}"
        return "is for plain tables, and others inherit from this one" if parent else None

    def horizon(self) -> VersionHorizon:
        """See `core.ports.RowVersions.horizon`: any role may ask, on a standby too."""
        [(ended, following)] = self._look("reading the horizon of transactions", sql.SQL(_HORIZON))
        return VersionHorizon(int(ended), int(following))

    def blocker(self) -> VersionBlocker | None:
        """See `core.ports.RowVersions.blocker`; a standby does not see it."""
        found = self._look("looking for the oldest open transaction", sql.SQL(_BLOCKER))
        if not found:
            return None
        [(pid, user, database, query_start, gid, seconds)] = found
        return VersionBlocker(Blocker(pid, user, database, in_utc(query_start), gid), seconds)

    def storage(self) -> VersionStorage:
        """See `core.ports.RowVersions.storage`."""
        statement = sql.SQL(_STORAGE).format(table=self._table)
        [(file, blocks)] = self._look("looking up where the rows are stored", statement)
        return VersionStorage(str(file), int(blocks))

    def written(self, low: int, high: int) -> Any:
        """See `core.ports.RowVersions.written`."""
        return _condition(_WITHIN.format(low=low % _XIDS, width=min(high - low, _XIDS)))

    def written_before(self, high: int) -> Any:
        """See `core.ports.RowVersions.written_before`.

        The numbers of old rows, which were frozen, lie anywhere. Only those from `high` up to the newest that the page
        can see are not before it.
        """
        width = f"({_NEXT} OPERATOR(pg_catalog.-) {high})"
        return _condition(f"NOT {_WITHIN.format(low=high % _XIDS, width=width)}")

    def places(self, after: str | None, block: int) -> Sequence[Any]:
        """See `core.ports.RowVersions.places`."""
        before = _condition(f"ctid OPERATOR(pg_catalog.<) '({block},0)'::pg_catalog.tid")
        if after is None:
            return (before,)
        self.block_of(after)  # refuses what is no place
        return _condition(f"ctid OPERATOR(pg_catalog.>) '{after}'::pg_catalog.tid"), before

    def block_of(self, place: str) -> int:
        """See `core.ports.RowVersions.block_of`.

        Raises:
            ValueError: it is no place.
        """
        found = _PLACE.fullmatch(place)
        if found is None:
            raise ValueError(f"{place!r} is no place of a row, such as (12,3)")
        return int(found[1])

    def ahead_of(self, block: int) -> str:
        """See `core.ports.RowVersions.ahead_of`: rows of a block are counted from 1."""
        return f"({block},0)"


def _condition(text: str) -> Any:
    return sa.literal_column(text, sa.Boolean())
