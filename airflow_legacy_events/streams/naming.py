"""Stream names, derived from an operator's arguments alone."""

from __future__ import annotations

from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.uris import path_of


def make_stream(
    *,
    conn_id: str,
    table: str | None,
    topic: str,
    dag_id: str,
    task_id: str,
    name: str | None,
    source_timezone: str | None,
) -> Stream:
    """Return the stream that an operator's rendered arguments identify.

    A table's stream is `<conn>.<table>@<topic>`, a query's `<conn>.<dag>.<task>@<topic>`; `name` overrides both.
    """
    default = f"{conn_id}.{table}@{topic}" if table is not None else f"{conn_id}.{dag_id}.{task_id}@{topic}"
    stream, zone = name or default, source_timezone or "UTC"
    if table is not None:
        return Stream(stream, topic, path_of(conn_id, table), f"{conn_id}.{table}.changed", zone)
    return Stream(stream, topic, path_of(conn_id, stream), f"{stream}.changed", zone)


def holds_template(text: object) -> bool:
    """Return whether a text is known only after rendering."""
    return not isinstance(text, str) or "{{" in text or "{%" in text
