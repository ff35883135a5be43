"""How complete a MySQL or MariaDB stream is below its horizon, and why."""

from __future__ import annotations

from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.databases.mysql.writers.ids import judged_ids
from airflow_legacy_events.databases.mysql.writers.times import judged_times
from airflow_legacy_events.databases.mysql.written import Writing
from airflow_legacy_events.databases.verdict import Verdict, gap

GRANT = "GRANT PROCESS ON *.* TO {user}"
_VISIBLE = frozenset({"InnoDB", "MyISAM", "Aria", "MEMORY", "ARCHIVE", "CSV"})
"""Engines whose open transactions InnoDB lists, or that have none: their rows are visible when the statement ends."""


def judged(of: Written, *, is_galera: bool) -> Verdict:
    """Return completeness and reason; see `core.ports.RowWriters`.

    Args:
        of: the rows.
        is_galera: whether the server is a node of a Galera cluster.
    """
    facts: Writing | None = of.state.writing
    if facts is None or of.table is None or facts.is_view:
        what = "query" if of.table is None else "view"
        why = f"the catalog does not say which table's column gives a {what} its {of.column.name!r}"
        return gap(why, "Read the table itself with table=, if its rows are enough")
    if found := _by_server(of, facts, is_galera=is_galera):
        return found
    return judged_times(of, facts) if of.column.kind in TEMPORAL else judged_ids(of, facts)


def _by_server(of: Written, facts: Writing, *, is_galera: bool) -> Verdict | None:
    """Return the gap of rows whose writers can't be seen; None if they can be."""
    name = of.column.name
    if facts.replica is not None:
        why = f"{facts.replica}: rows arrive in the order of their commits, not of their {name!r}"
        return gap(why, "Read from the primary")
    if several := "Galera" if is_galera else facts.several:
        why = f"this server is one of several that write ({several}), and the transactions of the others can't be seen"
        return gap(why, "Stream the change log, which has the order of commits; or read a server that alone is written")
    if not facts.sees_all:
        why = "this user may not see the transactions of others"
        return gap(why, GRANT.format(user=facts.user))
    if facts.engine not in _VISIBLE:
        why = f"open transactions of engine {facts.engine} can't be seen"
        return gap(why, f"ALTER TABLE {facts.name} ENGINE=InnoDB")
    return None
