"""Looks at what a server has of a stream's log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases.postgres.changelog.members import Members, leaves_in, trusted
from airflow_legacy_events.databases.postgres.changelog.publication import Publication, find_publication
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import find_slot
from airflow_legacy_events.databases.postgres.changelog.state import find_end
from airflow_legacy_events.databases.postgres.changelog.there import There
from airflow_legacy_events.databases.postgres.changelog.trees import find_leaves
from airflow_legacy_events.databases.postgres.changelog.wire import Wires

_DOING = "looking at the publication"
_PARTITIONED = "SELECT oid::int8, relreplident::text FROM pg_class WHERE oid = ANY (%s::oid[]) AND relkind = 'p'"


class Looking:
    """What there is now, queried again each time.

    Args:
        session: to query.
        options: of the stream.
        wires: that know the server.
    """

    def __init__(self, session: LogSession, options: LogOptions, wires: Wires) -> None:
        self._session, self._options, self._wires = session, options, wires

    def publication(self) -> Publication | None:
        """Return the stream's publication; None if it is not there."""
        with self._session.using(_DOING) as session:
            return find_publication(session, self._options.publication or "")

    def there(self, tables: Mapping[TableName, int]) -> There:
        """Return what the server has of the stream."""
        options = self._options
        leaves = find_leaves(self._session, list(tables.values()))
        return There(
            conn_id=self._session.conn_id,
            stream=options.stream,
            dag=options.dag,
            slot_name=options.slot or "",
            publication_name=options.publication or "",
            given=options.given,
            server=self._wires.identified,
            end=find_end(self._session),
            slot=find_slot(self._session, options.slot or ""),
            publication=self.publication(),
            tables=tables,
            leaves={oid: [one.oid for one in found] for oid, found in leaves.items()},
        )

    def members(
        self, tables: Mapping[TableName, int], stored: Mapping[str, Any], renewed: Collection[TableName]
    ) -> Members:
        """Return the tables and partitions that the log may name."""
        found = self.publication()
        others = set() if found is None else set(found.members) - set(tables.values())
        only = found is not None and not found.all_tables and not self._partitioned(others)
        return Members(self._session, tables, leaves_in(stored), renewed, only=only)

    def held_of(self, tables: Mapping[TableName, int]) -> Callable[[TableName], Sequence[str] | None]:
        """Return what `ReaderOptions.held_of` is for these tables."""
        found = self.publication()
        roots = self._partitioned(tables.values()) if found is not None and found.by_root else {}
        return lambda table: trusted(self._session, oid, roots[oid]) if (oid := tables.get(table, 0)) in roots else None

    def _partitioned(self, tables: Collection[int]) -> Mapping[int, str]:
        """Return the partitioned ones of some tables, with their replica identity."""
        rows = self._session.ask(_DOING, _PARTITIONED, (list(tables),)) if tables else []
        return dict(rows)
