"""Dry run: counts the rows left to send after a move of a watermark."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams.directory.locks import source_of
from airflow_legacy_events.streams.directory.moves import Preview
from airflow_legacy_events.streams.specs import spec_of

MOST_ROWS = 1_000_000
_log = logging.getLogger(__name__)


def rows_left(
    stream: str, found: Preview, *, conn_id: str | None = None, table: str | None = None, sql: str | None = None
) -> int:
    """Return how many rows lie above a stream's watermark after a move, at most `MOST_ROWS` + 1; nothing is changed.

    Args:
        stream: its name.
        found: its watermark before and after the move; None after it means the beginning.
        conn_id: connection of its source; None: the watermark's.
        table: to count in; None: the watermark's.
        sql: query to count in; takes precedence over `table`.

    Raises:
        ConfigurationError: the table or query is not known.
        SourceError: the source can't be queried.
    """
    mark, new = found
    facts = {} if mark is None else mark.facts
    kind = spec_of(facts)
    kind.check_facts(stream, facts)
    given = {"source_conn_id": source_of(stream, mark, conn_id), "table": table, "sql": sql}
    spec = kind.left_by(facts, stream, given)
    database = LegacyDatabaseHook(spec.conn_id).get_database(row_security=spec.row_security)
    closing = list[Callable[[], None]]()
    try:
        named = spec.stream("", "", "")._replace(name=stream)
        source = spec.source(database, stream=named, limits=Limits(), log=_log)
        closing.append(getattr(source, "close", database.close))
        return source.pending(None if new is None else _position(new), MOST_ROWS + 1).rows
    finally:
        for close in closing:
            close()
        database.close()


def _position(new: Watermark) -> Watermark:
    """Return the position without its facts: the person may count on another server than the watermark's."""
    included = {"included": True} if new.facts.get("included") else {}
    return Watermark(new.values or (), None, included)
