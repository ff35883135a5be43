"""State of a PostgreSQL table or view from catalog facts; see `core.ports.TableState`."""

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
from airflow_legacy_events.databases.postgres.written import Writing

_NOTHING = Below()


def table_state(
    session: Connection[Any],
    entry: Entry,
    columns: Mapping[int, Attribute],
    indexes: Sequence[Index],
    collations: Mapping[int, Collation],
) -> TableState:
    """Return the state of a table or view. Only views, foreign tables and parents need further queries."""
    found, unknown = _NOTHING, tuple[str, ...]()
    if entry.parent or entry.kind in (VIEW, MATERIALIZED, FOREIGN):
        found, unknown = _look_below(session, entry)
    return TableState(
        distinct=distinct_columns(session, entry, columns, indexes, collations),
        object=_object(entry, found),
        order={one.name: collations[one.collation].form() for one in columns.values() if one.collation in collations},
        definition=found.definition,
        unheld=found.unheld,
        unknown=unknown,
        writing=_writing_below(entry, found),
    )


def _writing_below(entry: Entry, found: Below) -> Writing | None:
    """Return the facts of the tables below a view; None for a table, whose own are at hand."""
    views = entry.kind in (VIEW, MATERIALIZED) and found.tables
    return Writing.below(found.tables, entry.kind, found.renamed) if views else None


def _look_below(session: Connection[Any], entry: Entry) -> tuple[Below, tuple[str, ...]]:
    try:
        return below_parent(session, entry.oid) if entry.parent else below_relations(session, [entry.oid]), ()
    except errors.InsufficientPrivilege as error:
        refused = (
            f"the definition of {entry.name} can't be read: {error.diag.message_primary}; GRANT EXECUTE ON FUNCTION"
            f" pg_catalog.pg_get_viewdef(oid) TO {session.info.user}, or SELECT on the catalog, shows it"
        )
        return _NOTHING, (refused,)


def _object(entry: Entry, found: Below) -> Mapping[str, Any] | None:
    """Return the object identity, which changes if the table is replaced, truncated or rewritten.

    For a table with parts, it is the newest file node of the parts that were truncated or rewritten since their
    creation. Adding a part, or dropping an unchanged one, changes nothing. A materialized view gets a new file with
    each refresh.
    """
    if entry.kind == VIEW:
        return None
    found_object: dict[str, Any] = {"oid": entry.oid}
    if entry.kind == TABLE:
        found_object["filenode"] = entry.filenode
    if entry.kind == PARTITIONED or entry.parent:
        found_object["exchanged"] = found.exchanged
    return found_object
