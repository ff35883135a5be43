"""Replication slots of this package on a server: which there are, what they hold, and how one is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import sql

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres.changelog.publication import made_for
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import Holder, Slot, find_holder
from airflow_legacy_events.databases.postgres.changelog.state import END, behind, holder

PREFIX = "legacy_events_"
"""Of the default names of slots and publications."""

_LISTING = "looking at the replication slots"
_DROPPING = "dropping the replication slot"
_SLOTS = """
SELECT to_jsonb(s), {end} FROM pg_replication_slots AS s WHERE s.database = current_database() ORDER BY s.slot_name
""".replace("{end}", END)
_PUBLICATIONS = """
SELECT p.pubname::text, obj_description(p.oid, 'pg_publication') FROM pg_publication AS p
 WHERE obj_description(p.oid, 'pg_publication') LIKE 'airflow-legacy-events: %' ORDER BY p.pubname
"""
_KEYLESS = """
SELECT DISTINCT t.pubname::text, c.oid::regclass::text
  FROM pg_publication_tables AS t
  JOIN pg_namespace AS n ON n.nspname = t.schemaname JOIN pg_class AS c ON c.relnamespace = n.oid
   AND c.relname = t.tablename
 WHERE t.pubname = ANY (%s::name[]) AND c.relkind = 'r' AND c.relreplident <> 'f'
   AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
                      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)
 ORDER BY 2
"""


class KeptSlot(NamedTuple):
    """A slot of this package in the connection's database, or a publication whose slot is not there.

    Attributes:
        slot: its name.
        there: False for a publication that a first run left before it made the slot.
        stream: name of the stream, as the publication's COMMENT says; None if it says nothing.
        dag: id of the DAG, likewise.
        publication: made by this package for the slot; None: there is none, or it was given.
        user: the session that uses it: pid, user and application in words; None if none does.
        status: `wal_status` of the server, such as `reserved`, `extended`, `unreserved` or `lost`; None: not there.
        lost: why the server no longer keeps its log, in the server's words; None if it does.
        held_bytes: of log that the server keeps for it; None if it keeps none.
        held_by: transaction in words that makes it keep more than the reader is behind; None if none does.
        idle_since: when it was last used, as text with a zone; None if it is used, or the server is older than 17.
        without_identity: published tables whose UPDATE and DELETE fail, since they have no replica identity.
    """

    slot: str
    there: bool = True
    stream: str | None = None
    dag: str | None = None
    publication: str | None = None
    user: str | None = None
    status: str | None = None
    lost: str | None = None
    held_bytes: int | None = None
    held_by: str | None = None
    idle_since: str | None = None
    without_identity: Sequence[str] = ()


class Slots:
    """The slots of one database; `PostgresDatabase.slots()` returns it.

    Args:
        session: to query; `close` ends it.
    """

    def __init__(self, session: LogSession) -> None:
        self._session = session

    def list(self, known: Mapping[str, str] | None = None) -> list[KeptSlot]:
        """Return the slots of this package, by name.

        A slot is of this package if a publication of ours is for it, if its name has the default prefix, or if it is
        known to be.

        Args:
            known: streams by the name of their slot, from watermarks; needed for slots with a name of the user's choice
                and a given publication.

        Raises:
            SourceError: the database can't be queried.
        """
        known, ours = known or {}, self._publications()
        rows = self._session.ask(_LISTING, _SLOTS)
        found = [
            self._kept(Slot.of(row), end, ours, known) for row, end in rows if _ours(row["slot_name"], ours, known)
        ]
        there = {one.slot for one in found}
        for slot, (publication, made) in ours.items():
            if slot not in there:
                found.append(KeptSlot(slot, False, made.get("stream"), made.get("dag"), publication))
        keyless: dict[str, list[str]] = {}
        for publication, table in self._session.ask(_LISTING, _KEYLESS, ([one.publication for one in found],)):
            keyless.setdefault(publication, []).append(table)
        return [one._replace(without_identity=keyless.get(one.publication or "", ())) for one in found]

    def drop(self, name: str, known: Mapping[str, str] | None = None) -> KeptSlot:
        """Drop a slot that no one uses, and the publication that this package made for it; return what it was.

        Args:
            name: of the slot.
            known: as in `list`.

        Raises:
            ConfigurationError: there is no such slot, or it is not of this package.
            SourceError: it is in use, or could not be dropped.
        """
        found = next((one for one in self.list(known) if one.slot == name), None)
        if found is None:
            raise self._not_ours(name)
        if found.user is not None:
            raise SourceError(
                f"replication slot {name!r} is in use, so it is not dropped: {found.user}. Wait for that run, or end it"
            )
        with self._session.using(_DROPPING) as session:
            if found.there:
                session.execute("SELECT pg_drop_replication_slot(%s)", (name,))
            if found.publication is not None:
                session.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(found.publication)))
        return found

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _not_ours(self, name: str) -> ConfigurationError:
        there = any(row["slot_name"] == name for row, _ in self._session.ask(_LISTING, _SLOTS))
        if not there:
            return ConfigurationError(
                f"there is no replication slot {name!r} in the database of connection {self._session.conn_id!r};"
                " nothing"
                " was dropped"
            )
        return ConfigurationError(
            f"replication slot {name!r} was not made by this package, so it is not dropped; its owner runs this"
            f"\nSELECT pg_drop_replication_slot('{name}')"
        )

    def _publications(self) -> dict[str, tuple[str, Mapping[str, str]]]:
        """Return name and COMMENT of the publications of ours, by their slot."""
        rows = self._session.ask(_LISTING, _PUBLICATIONS)
        return {made.get("slot", name): (name, made) for name, comment in rows if (made := made_for(comment))}

    def _kept(
        self, slot: Slot, end: str, ours: Mapping[str, tuple[str, Mapping[str, str]]], known: Mapping[str, str]
    ) -> KeptSlot:
        publication, made = ours.get(slot.name, (None, {}))
        lag, held = behind(slot.confirmed, end), behind(slot.restart, end)
        holding, using = holder(self._session, lag, held), None
        if slot.pid is not None:
            using = find_holder(self._session, slot.pid) or Holder(slot.pid, None, None, "", None)
        return KeptSlot(
            slot.name,
            True,
            made.get("stream") or known.get(slot.name),
            made.get("dag"),
            publication,
            using and using.told(),
            slot.status,
            slot.lost,
            held,
            holding and holding.told(),
            slot.inactive_since,
            (),
        )


def _ours(name: Any, publications: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    return str(name).startswith(PREFIX) or name in publications or name in known
