"""What a command would do: the rows that the next run would send."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from airflow_legacy_events.cli._command import say
from airflow_legacy_events.cli._streams import source_of
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.facts import check_facts
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.sources.rows import Rows, Start
from airflow_legacy_events.sources.selection import Wanted, select_columns

MOST_ROWS = 1_000_000


def tell(args: Namespace, verb: str, mark: Watermark | None, new: Watermark | None) -> None:
    """Print how many rows lie above `new`, None being the beginning; nothing is changed."""
    rows = rows_above(args, mark, new)
    found = f"more than {MOST_ROWS:,}" if rows > MOST_ROWS else f"{rows:,}"
    say(f"stream {args.stream!r}: `{verb}` would leave {found} rows to send (before any lag); nothing was changed")


def rows_above(args: Namespace, mark: Watermark | None, new: Watermark | None) -> int:
    """Return the number of rows above `new`, at most `MOST_ROWS` + 1.

    Raises:
        ConfigurationError: the table or its columns are not known.
    """
    facts = {} if mark is None else mark.facts
    check_facts(args.stream, facts)
    table, sql = args.table or facts.get("table"), _sql(args.sql)
    if "key_columns" not in facts or not (sql or table):
        raise ConfigurationError(
            f"the rows of stream {args.stream!r} can't be counted: its watermark does not name its"
            f" {'table' if 'key_columns' in facts else 'columns'}. Give --table or --sql, and run it once before"
        )
    database = LegacyDatabaseHook(source_of(args, mark)).get_database()
    try:
        found = database.reflect(None if sql else table, sql)
        what = "the query" if sql else f"table {table!r}"
        key = tuple(facts["key_columns"])
        wanted = Wanted(what, tuple(facts.get("watermark_columns", ())), key, columns=key)
        rows = Rows(database, what, found.selectable, select_columns(wanted, found), "UTC", stream=args.stream)
        values = () if new is None else new.values or ()
        included = new is not None and bool(new.facts.get("included"))
        return rows.count(Start(values, included), MOST_ROWS + 1)
    finally:
        database.close()


def _sql(asked: str | None) -> str | None:
    return Path(asked).read_text() if asked and asked.endswith(".sql") else asked
