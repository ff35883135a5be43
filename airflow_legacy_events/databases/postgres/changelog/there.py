"""What a server has of a stream's log: its identity, the slot and the publication."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.postgres.changelog.identify import Identified
from airflow_legacy_events.databases.postgres.changelog.publication import Publication
from airflow_legacy_events.databases.postgres.changelog.slot import Slot


class There(NamedTuple):
    """What the server has now.

    Attributes:
        conn_id: Airflow's name of the connection, for messages.
        stream: name of the stream.
        dag: id of the DAG.
        slot_name: of the stream.
        publication_name: of the stream.
        given: whether the user named the publication.
        server: that answers.
        end: place where its log ends.
        slot: None if it has none of that name.
        publication: None if it has none of that name.
        tables: oids of the tables of this run.
        leaves: oids of the leaves of each.
    """

    conn_id: str
    stream: str
    dag: str
    slot_name: str
    publication_name: str
    given: bool
    server: Identified
    end: str
    slot: Slot | None
    publication: Publication | None
    tables: Mapping[TableName, int]
    leaves: Mapping[int, Collection[int]]

    def facts(self) -> dict[str, Any]:
        """Return the facts to keep with a watermark, as plain JSON."""
        found: dict[str, Any] = {"name": self.publication_name}
        if (publication := self.publication) is not None:
            found |= {"oid": publication.oid, **publication.flags(), "members": self._members(publication)}
        return {"server": self.server.server, "slot": self.slot_name, "publication": found}

    def _members(self, publication: Publication) -> dict[str, Any]:
        return {
            str(name): {"table": oid, "member": publication.membership(oid), **self._leaves(oid)}
            for name, oid in self.tables.items()
            if publication.holds(oid)
        }

    def _leaves(self, table: int) -> dict[str, Any]:
        leaves = sorted(self.leaves.get(table, ()))
        return {} if leaves == [table] else {"leaves": leaves}

    @property
    def given_up(self) -> str:
        """Return the command that drops what is left of the stream here, and forgets its watermark."""
        if self.slot is None and (self.given or self.publication is None):
            return command("forget", self.stream)
        return f"`airflow legacy-events slots drop {self.slot_name} --conn-id {self.conn_id}`"

    @property
    def anew(self) -> str:
        """Return how a stream continues whose log does not, on a line of its own."""
        return (
            f"To begin again with all rows: {self.given_up}, then a run. What was deleted meanwhile is unknown, and"
            " stays in the topic"
        )
