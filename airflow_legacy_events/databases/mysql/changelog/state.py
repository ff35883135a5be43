"""State of the log at the server, for the report."""

from __future__ import annotations

from airflow_legacy_events.core.model.log import LogState
from airflow_legacy_events.databases.mysql.changelog.ending import distance, find_end
from airflow_legacy_events.databases.mysql.changelog.places import place_in, text_of
from airflow_legacy_events.databases.mysql.changelog.session import LogSession


def find_state(session: LogSession, saved: str | None) -> LogState:
    """Return where the log ends, and how far a saved place lies before that; the server holds nothing for a stream."""
    end = find_end(session).place
    return LogState(text_of(end), None if saved is None else distance(session, place_in(saved), end))
