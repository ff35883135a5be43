"""How complete a PostgreSQL stream is below its horizon, and why."""

from __future__ import annotations

from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.databases.postgres.entries import FOREIGN, MATERIALIZED, VIEW
from airflow_legacy_events.databases.postgres.writers.ids import judged_ids
from airflow_legacy_events.databases.postgres.writers.remedies import instead
from airflow_legacy_events.databases.postgres.writers.times import judged_times
from airflow_legacy_events.databases.postgres.written import Writing
from airflow_legacy_events.databases.verdict import BEST_EFFORT, Verdict, gap

_WHAT = {None: "query", VIEW: "view"}


def judged(of: Written) -> Verdict:
    """Return completeness and reason; see `core.ports.RowWriters`."""
    facts: Writing | None = of.state.writing
    if facts is None:
        unknown = "; ".join(of.state.unknown) or "its catalog facts can't be read"
        return gap(f"what writes column {of.column.name!r} is not known: {unknown}", "Read a table by its name")
    return _by_place(of, facts) or _by_column(of, facts)


def _by_place(of: Written, facts: Writing) -> Verdict | None:
    """Return the gap of rows that are not written where they are read; None if they are."""
    name = of.column.name
    if facts.kind == MATERIALIZED:
        why = f"REFRESH MATERIALIZED VIEW brings rows whatever their {name!r} is"
        return gap(why, "Read the tables below, or load it whole with watermark_columns=[]")
    if of.state.unheld or any(one.kind == FOREIGN for one in facts.tables):
        why = f"some rows are on another server, whose transactions can't be seen here: {of.state.unheld or of.table}"
        return gap(why, f"Read them there, or give lag= for a time column; {instead(facts)}")
    if facts.standby:
        why = f"this server is a standby: rows arrive in the order of their commits, not of their {name!r}"
        return gap(why, f"Read from the primary; {instead(facts)}")
    if subscribed := next((one.name for one in facts.tables if one.subscribed), None):
        why = f"the rows of {subscribed} arrive by a subscription, in the order of their commits, not of their {name!r}"
        return gap(why, f"Read from the publisher; {instead(facts)}")
    return None


def _by_column(of: Written, facts: Writing) -> Verdict:
    sources, what = facts.sources(of.column.name), _WHAT.get(facts.kind)
    if not sources:
        why = f"column {of.column.name!r} of the {what or 'table'} is none of a table: its values may come in any order"
        return gap(why, "Take a column of a table, under its own name, or read the table itself")
    judge = judged_times if of.column.kind in TEMPORAL else judged_ids
    found = [judge(of, facts, table, column) for table, column in sources]
    worst = next((one for one in found if one.completeness == BEST_EFFORT), None)
    if worst is not None or what is None:
        return worst or found[0]
    tables = " and ".join(table.name for table, _ in sources)
    appears = f"a row of the {what} appears when its row of {tables} is committed, not by a later change elsewhere"
    return Verdict(found[0].completeness, "; ".join([appears, *dict.fromkeys(one.reason for one in found)]))
