"""Relations of the log as tables of the stream: partitions go by the name of their root."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.postgres.changelog.identity import find_identities
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.trees import find_leaves

_ROOT = """
SELECT CASE WHEN c.relispartition THEN pg_partition_root(c.oid) ELSE c.oid END::int8
  FROM pg_class AS c WHERE c.oid = %s::oid
"""
_DOING = "looking at a relation of the log"


class Members:
    """Tables of a stream, and the partitions that belong to them.

    Args:
        session: to query.
        tables: of the stream, with their oids.
        known: oids of leaves by table, as the watermark has them; some may be gone.
        renewed: tables that are read again.
        only: whether the publication has no other partitioned table than those of the stream.
    """

    def __init__(
        self,
        session: LogSession,
        tables: Mapping[TableName, int],
        known: Mapping[str, Collection[int]],
        renewed: Collection[TableName],
        *,
        only: bool,
    ) -> None:
        self._session, self._tables, self._renewed, self._only = session, tables, renewed, only
        self._leaves = find_leaves(session, list(tables.values()))
        self._roots = {oid: name for name in tables for oid in known.get(str(name), ())}
        self._roots |= {leaf.oid: name for name, oid in tables.items() for leaf in self._leaves[oid]}
        self._partitioned = [
            name
            for name, oid in tables.items()
            if str(name) in known or [one.oid for one in self._leaves[oid]] != [oid]
        ]

    def root_of(self, oid: int, schema: str, name: str) -> TableName:
        """Return the table that a relation's changes belong to: of a partition its root, else itself.

        Raises:
            SourceError: it came and went since the last run, and may be a partition of several tables.
        """
        if oid in self._roots:
            return self._roots[oid]
        rows = self._session.ask(_DOING, _ROOT, (oid,))
        by_oid = {table: known for known, table in self._tables.items()}
        found = by_oid.get(rows[0][0]) if rows else self._gone(schema, name)
        self._roots[oid] = found = found or TableName(schema, name)
        return found

    def _gone(self, schema: str, name: str) -> TableName | None:
        if (own := TableName(schema, name)) in self._tables or not self._partitioned:
            return own
        if len(self._partitioned) == 1 and self._only:
            return self._partitioned[0]
        if all(one in self._renewed for one in self._partitioned):
            return None
        listed = ", ".join(f'"{one}"' for one in self._partitioned)
        error = SourceError(
            f"table {str(own)!r} has changes in the log and is gone: it may have been a partition of one of several"
            " tables;"
            f' nothing of it was sent. Run the task once with the configuration {{"snapshot": [{listed}]}}, which reads'
            " them again"
        )
        error.retry_helps = False
        raise error

    def leaves_of(self, table: TableName) -> Sequence[int]:
        """Return the oids of all leaves of a partitioned table, as they are now; empty for another table."""
        oid = self._tables.get(table)
        if oid is None:
            return ()
        leaves = [leaf.oid for leaf in find_leaves(self._session, [oid])[oid]]
        return () if leaves == [oid] else leaves


def trusted(session: LogSession, table: int, root_identity: str) -> Sequence[str] | None:
    """Return the only columns of a partitioned table whose old values are real where its changes come by its root.

    The log then describes old rows by the root's replica identity. Where it is FULL and a leaf's is not, the columns
    that the leaf did not log look like NULL.

    Returns:
        None if all are real.
    """
    leaves = find_identities(session, [table]).leaves[table]
    if root_identity != "f" or all(one.full for one in leaves):
        return None
    keys = [one.columns for one in leaves if not one.full]
    return sorted(frozenset.intersection(*keys))


def leaves_in(stored: Mapping[str, Any] | None) -> dict[str, Collection[int]]:
    """Return the oids of leaves by table in the facts of a watermark."""
    members = ((stored or {}).get("publication") or {}).get("members") or {}
    return {table: one["leaves"] for table, one in members.items() if "leaves" in one}
