"""Inlets: the asset that keeps a stream's watermark."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.specs.base import NamedByServer, SourceSpec


def stream_assets(spec: SourceSpec, topic: str) -> list[Any]:
    """Return the asset that keeps a stream's watermark, for the inlets of its task.

    Where only a run knows the stream's name, there is one for each name that it may have; the others stay empty.

    Raises:
        ConfigurationError: the stream's name is not known while the DAG is loaded.
    """
    from airflow_legacy_events.watermarks.asset import watermark_asset  # noqa: PLC0415  only for this store

    names = spec.possible_names() if isinstance(spec, NamedByServer) else (spec.stream_name(topic),)
    known = [name for name in names if name is not None]
    if not known:
        raise ConfigurationError(
            "watermark_store='asset' needs a name that is known while the DAG is loaded; name the stream of a query"
            " with stream=, that of a change log with slot="
        )
    if found := [part for part, value in spec.naming(topic).items() if value is not None and holds_template(value)]:
        raise ConfigurationError(
            f"watermark_store='asset' needs a stream that is known while the DAG is loaded, and {found[0]}= holds a"
            " template; write it out, name the stream with stream=, or use 'variable' or 'table'"
        )
    return [watermark_asset(name) for name in known]
