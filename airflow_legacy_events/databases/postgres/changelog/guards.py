"""Guards: whether the log continues where a watermark ends, before anything is acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model.log import LogPosition, TableName
from airflow_legacy_events.databases.postgres.changelog import places
from airflow_legacy_events.databases.postgres.changelog.publication_guard import publication_there, same_publication
from airflow_legacy_events.databases.postgres.changelog.slot import PLUGIN, Slot
from airflow_legacy_events.databases.postgres.changelog.there import There

_LOST = {
    "wal_removed": "the server removed log that it held, being more than max_slot_wal_keep_size; raise that",
    "idle_timeout": "it was not used for longer than idle_replication_slot_timeout; raise that, or run more often",
    "rows_removed": "the primary removed catalog rows that it needs; set hot_standby_feedback = on on the standby",
    "wal_level_insufficient": "wal_level was below logical for a time; keep it at logical",
}
_LOST_OTHERWISE = "the server invalidated it"


def first_run(there: There) -> Iterator[WatermarkError]:
    """Yield why a stream that was never begun can't begin: something of its names is there already."""
    if there.slot is not None:
        yield WatermarkError(
            f"replication slot {there.slot_name!r} is there already, and stream {there.stream!r} has no watermark: it"
            " is another one's, or was left by an earlier use of this stream. Give another slot=, or drop it, if no one"
            f" needs it\nSELECT pg_drop_replication_slot('{there.slot_name}')"
        )
    if there.publication is not None and not there.given and not there.server.itself.standby:
        yield publication_there(there, there.publication)


def begun(there: There) -> Iterator[WatermarkError]:
    """Yield why a first run that was interrupted can't go on with what it left."""
    if there.slot is not None:
        yield from _usable(there, there.slot)
        if there.publication is None and not there.server.itself.standby:
            yield WatermarkError(
                f"publication {there.publication_name!r} is gone, which replication slot {there.slot_name!r} was made"
                " for:"
                " its log can't be read without it. Nothing was sent of it; drop the slot, and it is made again"
                f"\nSELECT pg_drop_replication_slot('{there.slot_name}')"
            )
    ours = {"stream": there.stream, "dag": there.dag}
    publication = None if there.given or there.server.itself.standby else there.publication
    if publication is not None and {name: publication.made_for.get(name) for name in ours} != ours:
        yield publication_there(there, publication)


def goes_on(
    there: There,
    stored: Mapping[str, Any],
    position: LogPosition,
    renewed: Collection[TableName],
    switched: Callable[[int], str | None],
) -> Iterator[WatermarkError]:
    """Yield why the log does not go on at a position.

    Args:
        there: what the server has.
        stored: facts of the watermark.
        position: of the watermark.
        renewed: tables that are read again.
        switched: returns the place where the server's timeline left an earlier one.
    """
    if faults := list(_same_server(there, stored.get("server") or {}, position, switched)):
        yield from faults
        return
    known = stored.get("publication")
    publication = known if isinstance(known, Mapping) else {}
    if renamed := list(_same_names(there, stored.get("slot"), publication.get("name"))):
        yield from renamed
        return
    yield from _same_slot(there, position)
    yield from same_publication(there, publication, renewed)


def _same_server(
    there: There, before: Mapping[str, Any], position: LogPosition, switched: Callable[[int], str | None]
) -> Iterator[WatermarkError]:
    now, connection = there.server.server, f"connection {there.conn_id!r}"
    system, database = before.get("system_identifier"), before.get("database")
    if system is not None and system != now["system_identifier"]:
        yield WatermarkError(
            f"{connection} leads to another server: system identifier {now['system_identifier']}, the watermark has"
            f" {system}. Point it back to that server, or a standby of it"
            "\nAfter a major upgrade, if writers were stopped until this stream had read everything:"
            f' {there.given_up}, then a run with first_run="now" before they start again'
            f"\n{there.anew}"
        )
    elif database is not None and database != now["database"]:
        yield WatermarkError(
            f"{connection} leads to database {now['database']!r}, the watermark is of {database!r}; point it back"
        )
    elif (why := _forked(there, before, position, switched)) is not None:
        yield WatermarkError(f"{connection}: {why}\n{there.anew}")


def _forked(
    there: There, before: Mapping[str, Any], position: LogPosition, switched: Callable[[int], str | None]
) -> str | None:
    now, place = there.server.timeline, position.place
    then = int(before["timeline"]) if str(before.get("timeline", "")).isdigit() else now
    if now < then:
        return (
            f"the server is on timeline {now}, the watermark on the later {then}: it was restored from an older copy,"
            " or is an old primary. Point the connection to the present primary"
        )
    if now > then:
        left = switched(then)
        if left is None or places.compare(place, left) > 0:
            return (
                f"the watermark is at {place} of timeline {then}, which the server left at {left or 'no known place'}"
                f" for timeline {now}: it was promoted, or restored, without all that was sent"
            )
    if places.compare(there.end, place) < 0 and not there.server.itself.standby:
        return f"its log ends at {there.end}, before {place} of the watermark: it was restored from an older copy"
    return None


def _same_names(there: There, slot: Any, publication: Any) -> Iterator[WatermarkError]:
    for argument, before, now in (
        ("slot", slot, there.slot_name),
        ("publication", publication, there.publication_name),
    ):
        if before is not None and before != now:
            yield WatermarkError(
                f"{argument}={now!r}: the watermark of stream {there.stream!r} is of {argument} {before!r}, and what is"
                f" between the two is not known. Give {argument}={before!r}\n{there.anew}"
            )


def _same_slot(there: There, position: LogPosition) -> Iterator[WatermarkError]:
    if there.slot is None:
        yield WatermarkError(
            f"replication slot {there.slot_name!r} is gone from the server of connection {there.conn_id!r}: it was"
            " dropped, or not copied to this server. It is not made again by itself: what was changed since the"
            f" watermark at {position.place} would be missing\n{there.anew}"
        )
        return
    yield from (faults := list(_usable(there, there.slot)))
    confirmed = there.slot.confirmed
    if not faults and confirmed is not None and places.compare(confirmed, position.place) > 0:
        yield WatermarkError(
            f"replication slot {there.slot_name!r} was confirmed up to {confirmed}, beyond the watermark at"
            f" {position.place}: it was made again, or somebody else read or advanced it, and the changes in between"
            f" are lost\n{there.anew}"
        )


def _usable(there: There, slot: Slot) -> Iterator[WatermarkError]:
    name = f"replication slot {slot.name!r}"
    if slot.plugin != PLUGIN or slot.database != there.server.database:
        what = "a physical one" if slot.plugin is None else f"of plugin {slot.plugin!r} in database {slot.database!r}"
        yield WatermarkError(
            f"{name} is {what}; needed is one of plugin {PLUGIN!r} in database {there.server.database!r}. Give another"
            " slot="
        )
    elif slot.synced and not there.server.itself.standby and slot.temporary:
        yield WatermarkError(f"{name} was copied to this server, and not completely when it was promoted\n{there.anew}")
    elif slot.lost is not None:
        yield WatermarkError(f"{name} is lost ({slot.lost}): {_LOST.get(slot.lost, _LOST_OTHERWISE)}\n{there.anew}")
