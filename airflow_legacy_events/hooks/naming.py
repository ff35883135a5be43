"""Names that follow from an operator's arguments alone."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Stream


def make_stream(
    *,
    conn_id: str,
    table: str | None,
    topic: str,
    dag_id: str,
    task_id: str,
    name: str | None,
    source_timezone: str,
) -> Stream:
    """Return the stream that an operator's rendered arguments name.

    A table's stream is `<conn>.<table>@<topic>`, a query's `<conn>.<dag>.<task>@<topic>`; `name` overrides both.
    """
    default = f"{conn_id}.{table}@{topic}" if table is not None else f"{conn_id}.{dag_id}.{task_id}@{topic}"
    stream = name or default
    if table is not None:
        return Stream(stream, topic, f"/{conn_id}/{table}", f"{conn_id}.{table}.changed", source_timezone)
    return Stream(stream, topic, f"/{conn_id}/{stream}", f"{stream}.changed", source_timezone)


def holds_template(text: object) -> bool:
    """Whether a text is known only once it is rendered."""
    return not isinstance(text, str) or "{{" in text or "{%" in text


def stream_asset(asked: Any) -> Any:
    """Return the asset that keeps the watermark of an operator's stream, to be an inlet of its task.

    Raises:
        ConfigurationError: the stream is not known while the DAG is loaded.
    """
    from airflow_legacy_events.watermarks.asset import watermark_asset  # noqa: PLC0415  for those who use it

    if asked.stream is None and asked.table is None:
        raise ConfigurationError(
            "watermark_store='asset' needs a name that is known while the DAG is loaded; name the stream of a query"
            " with stream="
        )
    names = ("source_conn_id", "table", "topic") if asked.stream is None else ("stream",)
    if found := [name for name in names if holds_template(getattr(asked, name))]:
        raise ConfigurationError(
            f"watermark_store='asset' needs a stream that is known while the DAG is loaded, and {found[0]}= holds a"
            " template; write it out, name the stream with stream=, or use 'variable' or 'table'"
        )
    parts = {"conn_id": asked.source_conn_id, "table": asked.table, "topic": asked.topic, "name": asked.stream}
    return watermark_asset(make_stream(**parts, dag_id="", task_id="", source_timezone="UTC").name)
