"""The asset that keeps a stream's watermark, as an inlet of its task."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.specs.base import SourceSpec

_NAMING = ("source_conn_id", "table", "topic", "stream")
"""The arguments that a stream's name may be made of."""


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
