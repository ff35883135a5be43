"""What a command would do: the rows that the next run would send."""

from __future__ import annotations

from pathlib import Path

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.facts import check_facts
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.sources.rows import Rows, Start
from airflow_legacy_events.sources.selection import Wanted, select_columns
from airflow_legacy_events.streams.directory.locks import source_of
from airflow_legacy_events.streams.directory.moves import Preview

MOST_ROWS = 1_000_000


def sentence(stream: str, verb: str, rows: int) -> str:
    """Return what a person reads of `rows` that a command would leave to send."""
    found = f"more than {MOST_ROWS:,}" if rows > MOST_ROWS else f"{rows:,}"
    return f"stream {stream!r}: `{verb}` would leave {found} rows to send (before any lag); nothing was changed"


def count_rows(stream: str, found: Preview, *, conn_id: str | None, table: str | None, sql: str | None) -> int:
    """Return the number of rows above the watermark after a move, at most `MOST_ROWS` + 1.

    Args:
        stream: whose rows are counted.
        found: its watermark before and after the move; none after it is the beginning.
        conn_id: connection of its source; None: the one that the watermark names.
        table: to count in; None: the watermark's.
        sql: query to count in, or the name of a `.sql` file; comes before `table`.

    Raises:
        ConfigurationError: the table or its columns are not known.
    """
    mark, new = found
    facts = {} if mark is None else mark.facts
    check_facts(stream, facts)
    table, sql = table or facts.get("table"), _sql(sql)
    if "key_columns" not in facts or not (sql or table):
        raise ConfigurationError(
            f"the rows of stream {stream!r} can't be counted: its watermark does not name its"
            f" {'table' if 'key_columns' in facts else 'columns'}. Give --table or --sql, and run it once before"
        )
    database = LegacyDatabaseHook(source_of(stream, mark, conn_id)).get_database()
    try:
        reflected = database.reflect(None if sql else table, sql)
        what = "the query" if sql else f"table {table!r}"
        key = tuple(facts["key_columns"])
        wanted = Wanted(what, tuple(facts.get("watermark_columns", ())), key, columns=key)
        rows = Rows(database, what, reflected.selectable, select_columns(wanted, reflected), "UTC", stream=stream)
        values = () if new is None else new.values or ()
        included = new is not None and bool(new.facts.get("included"))
        return rows.count(Start(values, included), MOST_ROWS + 1)
    finally:
        database.close()


def _sql(text: str | None) -> str | None:
    return Path(text).read_text() if text and text.endswith(".sql") else text
