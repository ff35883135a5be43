"""Partitions that came or went with rows: the log has nothing of those rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.trees import Leaf, find_leaves

_DOING = "looking at the partitions"
# Rows that were there when a partition was attached lie at its beginning, and are not younger than the attaching.
_ATTACHED = (
    "SELECT i.xmin::text, has_table_privilege(i.inhrelid, 'SELECT') FROM pg_inherits AS i WHERE i.inhrelid = %s::oid"
)
_OLDER = "SELECT EXISTS (SELECT FROM ONLY {} AS t WHERE t.ctid < '(128,0)' AND age(t.xmin) >= age('{}'::xid))"
_REMAINS = """
SELECT c.oid::regclass::text, pg_relation_size(c.oid) > 0 FROM pg_class AS c WHERE c.oid = %s::oid
"""


def untold(
    session: LogSession, tables: Mapping[TableName, int], known: Mapping[str, Collection[int]]
) -> Mapping[TableName, Sequence[str]]:
    """Return what happened to partitioned tables that the log does not tell; see `core.ports.ChangeLog.untold`.

    Args:
        session: to query.
        tables: with their oids.
        known: oids of the leaves by table, as they were.
    """
    asked = {name: oid for name, oid in tables.items() if str(name) in known}
    leaves = find_leaves(session, list(asked.values())) if asked else {}
    found: dict[TableName, Sequence[str]] = {}
    for name, oid in asked.items():
        before, now = set(known[str(name)]), {leaf.oid: leaf for leaf in leaves[oid]}
        came = [one.name for one in now.values() if one.oid not in before and _came_filled(session, one)]
        went = [text for one in sorted(before - set(now)) if (text := _went(session, one))]
        said = [*(f"partition {one} was attached with rows" for one in came), *went]
        if said:
            found[name] = said
    return found


def _came_filled(session: LogSession, leaf: Leaf) -> bool:
    """Whether a new partition had rows when it became one; True if that can't be seen."""
    if not leaf.filled:
        return False
    rows = session.ask(_DOING, _ATTACHED, (leaf.oid,))
    if not rows:
        return False
    [(attached, readable)] = rows
    return not readable or bool(session.ask(_DOING, _OLDER.format(leaf.name, attached))[0][0])


def _went(session: LogSession, leaf: int) -> str | None:
    """Return what became of a partition's rows; None if it is there, was detached and is empty."""
    rows = session.ask(_DOING, _REMAINS, (leaf,))
    if not rows:
        return "a partition was dropped"
    [(name, filled)] = rows
    return f"partition {name} was detached" if filled else None
