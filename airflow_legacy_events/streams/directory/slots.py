"""Replication slots of this package: whose they are, what is wrong with them, and how one is given up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams.directory.entries import readable, store_of
from airflow_legacy_events.streams.directory.locks import Signature, locked
from airflow_legacy_events.streams.sizes import shown
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.registration import (
    PREFIX,
    Registration,
    read_registration,
    registration_of,
    remove_registration,
)

if TYPE_CHECKING:
    from airflow_legacy_events.databases.postgres.changelog.slots import KeptSlot

SUFFIX = "@log"
DagExists = Callable[[str], bool]
"""Returns whether Airflow has a DAG of an id."""


class Bounds(NamedTuple):
    """What a slot may hold, and how long it may be idle.

    Attributes:
        max_wal: bytes; None: any number.
        max_idle: since it was last used; None: any time.
    """

    max_wal: int | None = None
    max_idle: dt.timedelta | None = None


class SlotReport(NamedTuple):
    """One slot, and what is wrong with it.

    Attributes:
        kept: the slot as the server has it.
        stream: its stream, as far as known.
        dag: id of its DAG, as far as known.
        orphan: whether Airflow has no such DAG.
        findings: sentences on what is wrong; empty if nothing is.
    """

    kept: KeptSlot
    stream: str | None
    dag: str | None
    orphan: bool
    findings: tuple[str, ...]

    def line(self) -> dict[str, Any]:
        """Return it as plain JSON, one value a column."""
        kept = self.kept
        return {
            "slot": kept.slot,
            "holder": kept.user,
            "wal_status": kept.status if kept.lost is None else f"{kept.status or 'lost'} ({kept.lost})",
            "held_bytes": kept.held_bytes,
            "held_by": kept.held_by,
            "idle_since": kept.idle_since,
            "stream": self.stream,
            "dag": self.dag,
            "orphan": self.orphan,
            "findings": list(self.findings),
        }


def list_slots(conn_id: str, bounds: Bounds, dag_exists: DagExists) -> list[SlotReport]:
    """Return the slots of this package in the database of a connection.

    Args:
        conn_id: the Airflow connection.
        bounds: beyond which a slot is a finding.
        dag_exists: whether Airflow has a DAG of an id.

    Raises:
        ConfigurationError: the connection is not one to PostgreSQL.
        SourceError: the database can't be queried.
    """
    registered = _registered(conn_id)
    with _database(conn_id) as database, _slots_of(database, conn_id) as slots:
        found = slots.list({slot: stream for slot, (stream, _) in registered.items()})
    return [_report(kept, registered.get(kept.slot), bounds, dag_exists) for kept in found]


def drop_slot(conn_id: str, name: str, signature: Signature) -> list[str]:
    """Drop a slot with our publication, and forget its stream; return what was dropped, in words.

    The stream's lock is held meanwhile, so that no run begins.

    Args:
        conn_id: the Airflow connection.
        name: of the slot.
        signature: of the person.

    Raises:
        ConfigurationError: there is no such slot, it is not ours, or a run works on its stream.
        SourceError: it is in use, or could not be dropped.
    """
    known = {slot: stream for slot, (stream, _) in _registered(conn_id).items()}
    stream = _stream_of(conn_id, name, known)
    registration = read_registration(stream)
    store = store_of(stream, registration)
    with locked(stream, conn_id, "drop", signature, readable(store, stream)) as database:
        with _slots_of(database, conn_id) as slots:
            kept = slots.drop(name, known)
        mark = readable(store, stream)
        store.forget(stream)
        remove_registration(stream)
    return [
        *([f"replication slot {name!r}"] if kept.there else []),
        *([] if kept.publication is None else [f"publication {kept.publication!r}"]),
        *([] if mark is None else [f"watermark of stream {stream!r}"]),
        *([] if registration is None else [f"registration of stream {stream!r}"]),
    ]


def slot_that_stays(stream: str) -> tuple[str, str] | None:
    """Return slot and connection of a change log whose watermark is about to be removed; None for another stream.

    Raises:
        ConfigurationError, WatermarkError: its watermark can't be read.
    """
    mark = readable(store_of(stream, read_registration(stream)), stream)
    if mark is None or not mark.facts.get("slot"):
        return None
    return str(mark.facts["slot"]), str(mark.facts.get("source"))


def _stream_of(conn_id: str, name: str, known: Mapping[str, str]) -> str:
    """Return the stream of a slot: the one that is registered, else the one that its publication names."""
    if name in known:
        return known[name]
    with _database(conn_id) as database, _slots_of(database, conn_id) as slots:
        named = [one.stream for one in slots.list(known) if one.slot == name and one.stream]
    return named[0] if named else f"{conn_id}.{name}{SUFFIX}"


@contextmanager
def _database(conn_id: str) -> Iterator[Any]:
    database = LegacyDatabaseHook(conn_id).get_database()
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _slots_of(database: Any, conn_id: str) -> Iterator[Any]:
    make = getattr(database, "slots", None)
    if make is None:
        raise ConfigurationError(
            f"connection {conn_id!r} does not lead to PostgreSQL, and no other database has replication slots"
        )
    slots = make()
    try:
        yield slots
    finally:
        slots.close()


def _registered(conn_id: str) -> dict[str, tuple[str, Registration]]:
    """Return name and registration of the logs of a connection that have begun, by their slot; as far as readable."""
    found = {}
    for key in airflow_variables.keys(PREFIX) or ():
        if (text := airflow_variables.glance(key)) is None:
            continue
        try:
            stream, registration = registration_of(key, text)
        except Exception:  # noqa: BLE001, S112  damaged; `watermark list` shows it
            continue
        if stream.startswith(f"{conn_id}.") and stream.endswith(SUFFIX):
            found[stream.removeprefix(f"{conn_id}.").removesuffix(SUFFIX)] = (stream, registration)
    return found


def _report(
    kept: KeptSlot, registered: tuple[str, Registration] | None, bounds: Bounds, dag_exists: DagExists
) -> SlotReport:
    stream, dag = kept.stream, kept.dag
    if registered is not None:
        stream, dag = stream or registered[0], dag or registered[1].dag
    orphan = dag is None or not dag_exists(dag)
    return SlotReport(kept, stream, dag, orphan, tuple(_findings(kept, dag, bounds, orphan=orphan)))


def _findings(kept: KeptSlot, dag: str | None, bounds: Bounds, *, orphan: bool) -> Iterator[str]:
    slot = f"slot {kept.slot!r}" if kept.there else f"publication {kept.publication!r}, whose slot does not exist,"
    if orphan:
        whose = "of no known DAG" if dag is None else f"of DAG {dag!r}, which Airflow does not have"
        yield f"{slot} is {whose}"
    if kept.lost is not None:
        yield f"{slot} is lost ({kept.lost}): the server has removed changes that were not delivered"
    if bounds.max_wal is not None and (kept.held_bytes or 0) > bounds.max_wal:
        by = "" if kept.held_by is None else f", held by {kept.held_by}"
        yield f"{slot} holds {shown(kept.held_bytes or 0)} of WAL, more than {shown(bounds.max_wal)}{by}"
    if (idle := _idle(kept)) is not None and bounds.max_idle is not None and idle > bounds.max_idle:
        yield f"{slot} was last used at {kept.idle_since}, longer ago than {bounds.max_idle}"
    if kept.without_identity:
        tables = ", ".join(kept.without_identity)
        yield f"{slot} publishes tables without a replica identity, whose UPDATE and DELETE fail: {tables}"


def _idle(kept: KeptSlot) -> dt.timedelta | None:
    if kept.idle_since is None or kept.user is not None:
        return None
    return dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(kept.idle_since)
