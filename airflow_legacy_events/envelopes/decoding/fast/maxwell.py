"""Maxwell's messages of inserts and updates."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.maxwell import SNAPSHOT, id_of, is_of_mysql, time_of
from airflow_legacy_events.envelopes.decoding.fast.events import Events
from airflow_legacy_events.envelopes.decoding.fast.layout import Layout
from airflow_legacy_events.envelopes.decoding.fast.members import REPEATED, Members, is_there, usual, values_at

_OPS = {b'"insert"': "c", b'"update"': "u", b'"bootstrap-insert"': "r"}
_NAMES = (
    *("database", "table", "type", "ts", "xid", "xoffset", "commit", "position", "gtid", "server_id", "thread_id"),
    *("schema_id", "primary_key", "primary_key_columns", "data", "old"),
)
_SPECIAL = frozenset({REPEATED})
_OF_ID = ("gtid", "position", "xoffset", "commit")


class MaxwellEvents:
    """Finds inserts, updates and rows of a bootstrap."""

    def __init__(self) -> None:
        self._layout = Layout(_NAMES, lambda _: True)

    def find(self, received: Received, places: Sequence[int]) -> Events | None:
        """See `FindsEvents.find`."""
        some = usual(received, places, _SPECIAL)
        found = Members.of(self._layout, values_at(received, some))
        if not found.positions:
            return None
        of_mysql = is_of_mysql(next(filter(is_there, found["gtid"][:1]), None))
        found = found.where("gtid", lambda one: is_of_mysql(one) is of_mysql).where("type", _OPS.__contains__)
        there = [at for at, one in enumerate(found["data"]) if is_there(one)]
        found = found.picked(there)
        said = [_OPS[bytes(one)] for one in found["type"]]
        changed = [_changed(op, old) for op, old in zip(said, found["old"], strict=True)]
        if None in changed:
            kept = [at for at, one in enumerate(changed) if one is not None]
            found, said = found.picked(kept), [said[at] for at in kept]
            changed = [changed[at] for at in kept]
        return Events(
            [some[at] for at in found.positions],
            found["data"],
            said,
            tables=lambda: [
                TableOf(table, database=database)
                for table, database in zip(found.texts("table"), found.texts("database"), strict=True)
            ],
            ids=lambda: [id_of(_members(found, at, _OF_ID)) for at in range(len(said))],
            times=lambda: [time_of(_members(found, at, ("ts",))) for at in range(len(said))],
            snapshots=lambda: [SNAPSHOT if op == "r" else None for op in said],
            typed=of_mysql,
            changed=[one or () for one in changed],
        )


def _changed(op: str, old: msgspec.Raw) -> Sequence[str] | None:
    """Return the names of the fields whose former value an update has; None if it can't be understood."""
    if op != "u" or not is_there(old):
        return ()
    try:
        return tuple(objects.optional_fields(old, "the member old") or ())
    except NotUnderstoodError:
        return None


def _members(found: Members, at: int, names: Sequence[str]) -> objects.Members:
    columns = {name: found[name][at] for name in names}
    return {name: one for name, one in columns.items() if is_there(one)}
