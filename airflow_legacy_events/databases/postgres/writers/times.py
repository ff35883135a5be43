"""How complete a PostgreSQL stream by time is below its horizon."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.core.zones import canonical
from airflow_legacy_events.databases.postgres.writers.clocks import Clock, by_default, by_trigger
from airflow_legacy_events.databases.postgres.writers.remedies import instead, spelled
from airflow_legacy_events.databases.postgres.written import Given, Writing, WrittenTable
from airflow_legacy_events.databases.verdict import BOUNDED, Verdict, gap


def clock_of(table: WrittenTable, column: str) -> Clock | None:
    """Return what gives a column the database's time, None if nothing does."""
    found = by_default(table.columns.get(column, Given()).default)
    return found or by_trigger(column, table.triggers)


def clocks_of(of: Written) -> list[Clock]:
    """Return what gives the column of a position the database's time, in each table that it may come from."""
    facts: Writing | None = of.state.writing
    sources = facts.sources(of.column.name) if facts is not None else ()
    return [found for table, column in sources if (found := clock_of(table, column)) is not None]


def judged_times(of: Written, facts: Writing, table: WrittenTable, column: str) -> Verdict:
    """Return completeness and reason of a column of times; `column` as its table names it."""
    clock = clock_of(table, column)
    name = spelled(column)
    alter = f"ALTER TABLE {table.name} ALTER COLUMN {name}"
    if clock is None:
        why = f"no default or trigger gives column {column!r} the database's time: older times may come later"
        return gap(why, f"{alter} SET DEFAULT now(), if no writer sets it; or {instead(facts)}")
    if clock.zone and of.column.kind is Kind.INSTANT:
        why = f"{clock.by} of {column!r} is taken for a time in the session's zone, and so moved by hours"
        return gap(why, f"{alter} SET DEFAULT now(); or {instead(facts)}")
    if clock.zone and canonical(clock.zone) != canonical(of.timezone):
        why = f"{clock.by} of {column!r} is a time in zone {clock.zone}, and its values are read as {of.timezone}"
        return gap(why, f"Give source_timezone={(canonical(clock.zone) or clock.zone)!r}; or {instead(facts)}")
    by_session = of.column.kind is not Kind.INSTANT and not clock.zone
    zones = f", all writers use one session zone, {of.timezone}," if by_session else ""
    reason = f"each writer leaves column {column!r} to {clock.by}{zones} and the server's clock is not set back"
    if by_session and of.column.kind is Kind.TIMESTAMP:
        way = f"{alter} TYPE timestamptz USING {name} AT TIME ZONE '{of.timezone}'"
        reason += f"\n{way} needs no session zone"
    if not facts.sees_all:
        reason += "" if clock.of_statement else "; no message of another user has several transactions"
        reason += f"\nGRANT pg_read_all_stats TO {facts.user} lets a run read on beside transactions that have begun"
    return Verdict(BOUNDED, reason)
