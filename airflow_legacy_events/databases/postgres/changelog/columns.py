"""Columns of a table as the log has them: their numbers, and those that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.core.ports import LogColumn
from airflow_legacy_events.databases.postgres.changelog.publication import GENERATED_SINCE
from airflow_legacy_events.databases.postgres.changelog.session import LogSession

_COLUMNS = """
SELECT attname::text, attnum::int4, attgenerated::text, atthasdef OR atthasmissing OR attnotnull
  FROM pg_attribute WHERE attrelid = %s::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_DOING = "looking at the columns"
_STORED = "s"


def find_columns(session: LogSession, table: int) -> Mapping[str, LogColumn]:
    """Return the columns of a table by its oid; see `core.ports.ChangeLog.columns`."""
    rows = session.ask(_DOING, _COLUMNS, (table,))
    return {name: LogColumn(number, bool(generated) or filled) for name, number, generated, filled in rows}


def find_omitted(session: LogSession, table: int, *, stored: bool) -> frozenset[str]:
    """Return the generated columns of a table that the log leaves out.

    Args:
        session: to query.
        table: its oid.
        stored: whether the publication has stored generated columns; below version 18 none has.
    """
    kept = stored and session.version >= GENERATED_SINCE
    rows = session.ask(_DOING, _COLUMNS, (table,))
    return frozenset(name for name, _, generated, _ in rows if generated and not (kept and generated == _STORED))
