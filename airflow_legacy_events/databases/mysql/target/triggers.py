"""Triggers of a target table: some fire for rows that an upsert only tries to insert."""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.databases.mysql.catalog import TableRow
from airflow_legacy_events.databases.mysql.grants import Grants
from airflow_legacy_events.databases.mysql.session import Session

_TRIGGERS = """
SELECT trigger_name, action_timing, event_manipulation FROM information_schema.triggers
 WHERE event_object_schema = %s AND event_object_table = %s ORDER BY trigger_name
"""


class Triggers(NamedTuple):
    """Triggers of a table.

    Attributes:
        before_insert: whether one fires before rows are inserted, or may: without a right they are hidden.
        described: their names, in words.
    """

    before_insert: bool
    described: str


def read(session: Session, grants: Grants, row: TableRow) -> Triggers:
    """Return the triggers of a table, as far as this user may see them."""
    found = session.rows(_TRIGGERS, row.schema, row.name)
    hidden = not found and not grants.has("TRIGGER", f"{row.schema}.*", f"{row.schema}.{row.name}")
    before = hidden or any((timing, event) == ("BEFORE", "INSERT") for _, timing, event in found)
    return Triggers(before, ", ".join(f"trigger {name}" for name, *_ in found))
