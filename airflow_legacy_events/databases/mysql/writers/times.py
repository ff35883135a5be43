"""How complete a MySQL or MariaDB stream by time is below its horizon."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.core.zones import canonical
from airflow_legacy_events.databases.mysql.grants import quoted
from airflow_legacy_events.databases.mysql.writers.clocks import clocks_of
from airflow_legacy_events.databases.mysql.written import Reference, Writing
from airflow_legacy_events.databases.verdict import BOUNDED, Verdict, gap

_MOST_DIGITS = 6
_CASCADES = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
_NULLS = frozenset({"SET NULL", "SET DEFAULT"})
_UTC = "UTC"


def tick_of(of: Written) -> dt.timedelta:
    """Return the smallest step of a time column's values; see `core.ports.RowWriters.tick`."""
    facts: Writing = of.state.writing or Writing()
    digits = [facts.digits.get(of.column.name, _MOST_DIGITS)]
    digits += [one.digits for one in clocks_of(of.column.name, facts)]
    if of.column.kind is Kind.DATE or min(digits) < 0:
        return dt.timedelta(days=1)
    return dt.timedelta(microseconds=10 ** (_MOST_DIGITS - min(*digits, _MOST_DIGITS)))


def judged_times(of: Written, facts: Writing) -> Verdict:
    """Return completeness and reason of a column of times."""
    column, found = of.column.name, clocks_of(of.column.name, facts)
    if not found:
        why = f"no default, ON UPDATE or trigger that this user sees gives column {column!r} the server's time"
        return gap(f"{why}: older times may come later", _as_timestamp(of, facts))
    if by_keys := _by_keys(column, facts):
        return by_keys
    reason = f"each writer leaves column {column!r} to {' and '.join(dict.fromkeys(one.by for one in found))}"
    if of.column.kind is Kind.INSTANT:
        return Verdict(BOUNDED, reason)
    if all(one.utc for one in found):
        if canonical(of.timezone) == _UTC:
            return Verdict(BOUNDED, reason)
        why = f"column {column!r} holds times in UTC, and its values are read as {of.timezone}"
        return gap(why, "Give source_timezone='UTC'")
    reason += f", and all writers use one session zone, {of.timezone}"
    reason += f"\n{_as_timestamp(of, facts)} needs no such assumption" if of.column.kind is Kind.TIMESTAMP else ""
    return Verdict(BOUNDED, reason)


def _as_timestamp(of: Written, facts: Writing) -> str:
    digits = min(facts.digits.get(of.column.name, 0), _MOST_DIGITS)
    by = f"({digits})" if digits else ""
    clock = f"DEFAULT CURRENT_TIMESTAMP{by} ON UPDATE CURRENT_TIMESTAMP{by}"
    return f"ALTER TABLE {facts.name} MODIFY {quoted(of.column.name)} TIMESTAMP{by} NULL {clock}"


def _by_keys(column: str, facts: Writing) -> Verdict | None:
    """Return the gap of rows that a foreign key changes, below triggers and ON UPDATE; None if none does."""
    if facts.references is None:
        why = f"this user may not see whether a foreign key changes rows without the ON UPDATE of column {column!r}"
        return gap(why, f"GRANT SELECT ON {facts.name} TO {facts.user}")
    cascading = [one.name for one in facts.references if _changes(one)]
    if not cascading:
        return None
    why = f"foreign key {', '.join(cascading)} changes rows without the ON UPDATE or a trigger of column {column!r}"
    drop = f"ALTER TABLE {facts.name} DROP FOREIGN KEY {quoted(cascading[0])}"
    return gap(why, f"{drop}, and add it with NO ACTION; or stream the change log, which has such changes")


def _changes(one: Reference) -> bool:
    """Return whether a foreign key changes rows of its own table; those that it deletes are seen by no query."""
    return one.on_update.upper() in _CASCADES or one.on_delete.upper() in _NULLS
