"""State of a table or view of PostgreSQL, see `core.ports.TableState`, from what the catalog says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, errors

from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.databases.postgres.below import Below, below_parent, below_relations
from airflow_legacy_events.databases.postgres.collations import Collation
from airflow_legacy_events.databases.postgres.distinct import distinct_columns
from airflow_legacy_events.databases.postgres.entries import (
    FOREIGN,
    MATERIALIZED,
    PARTITIONED,
    TABLE,
    VIEW,
    Attribute,
    Entry,
    Index,
)

_NOTHING = Below()


def table_state(
    session: Connection[Any],
    entry: Entry,
    columns: Mapping[int, Attribute],
    indexes: Sequence[Index],
    collations: Mapping[int, Collation],
) -> TableState:
    """Return the state of a table or view; only of views, foreign tables and parents more is asked."""
    found, unknown = _NOTHING, tuple[str, ...]()
    if entry.parent or entry.kind in (VIEW, MATERIALIZED, FOREIGN):
        found, unknown = _look_below(session, entry)
    return TableState(
        distinct=distinct_columns(session, entry, columns, indexes, collations),
        object=_object(entry, found),
        order={one.name: collations[one.collation].told() for one in columns.values() if one.collation in collations},
        definition=found.definition,
        unheld=found.unheld,
        unknown=unknown,
    )


def _look_below(session: Connection[Any], entry: Entry) -> tuple[Below, tuple[str, ...]]:
    try:
        return below_parent(session, entry.oid) if entry.parent else below_relations(session, [entry.oid]), ()
    except errors.InsufficientPrivilege as error:
        refused = (
            f"what {entry.name} is made of is not shown: {error.diag.message_primary}; GRANT EXECUTE ON FUNCTION"
            f" pg_catalog.pg_get_viewdef(oid) TO {session.info.user}, or SELECT on the catalog, shows it"
        )
        return _NOTHING, (refused,)


def _object(entry: Entry, found: Below) -> Mapping[str, Any] | None:
    """Return what another table, or one that was emptied or rewritten, does not share.

    Of the parts of a table the newest file node tells that counts since they were made: one that comes, and one that
    goes as it was made, change nothing. A materialized view gets a new file whenever it is refreshed.
    """
    if entry.kind == VIEW:
        return None
    found_object: dict[str, Any] = {"oid": entry.oid}
    if entry.kind == TABLE:
        found_object["filenode"] = entry.filenode
    if entry.kind == PARTITIONED or entry.parent:
        found_object["exchanged"] = found.exchanged
    return found_object
