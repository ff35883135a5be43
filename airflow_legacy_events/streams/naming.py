"""Names that follow from an operator's arguments alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Stream

if TYPE_CHECKING:
    from airflow_legacy_events.streams.specs.base import SourceSpec

_NAMING = ("source_conn_id", "table", "topic", "stream")
"""The arguments that a stream's name may be made of."""


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


def stream_asset(spec: SourceSpec, topic: str) -> Any:
    """Return the asset that keeps the watermark of a stream, to be an inlet of its task.

    Raises:
        ConfigurationError: the stream is not known while the DAG is loaded.
    """
    from airflow_legacy_events.watermarks.asset import watermark_asset  # noqa: PLC0415  for those who use it

    name = spec.stream_name(topic)
    if name is None:
        raise ConfigurationError(
            "watermark_store='asset' needs a name that is known while the DAG is loaded; name the stream of a query"
            " with stream="
        )
    if holds_template(name):
        parts = {"stream": name, "topic": topic, **vars(spec), "source_conn_id": spec.conn_id}
        found = next(part for part in _NAMING if isinstance(parts.get(part), str) and holds_template(parts[part]))
        raise ConfigurationError(
            f"watermark_store='asset' needs a stream that is known while the DAG is loaded, and {found}= holds a"
            " template; write it out, name the stream with stream=, or use 'variable' or 'table'"
        )
    return watermark_asset(name)
