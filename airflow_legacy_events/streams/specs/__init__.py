"""Specs of all sources, and the spec class for a watermark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from airflow_legacy_events.hooks.registry import DEFAULT_KIND, SPECS, find, resolve
from airflow_legacy_events.streams.specs.base import SourceSpec


def spec_of(facts: Mapping[str, Any]) -> type[SourceSpec]:
    """Return the spec class of a watermark's source; a watermark that does not name one belongs to a query.

    Raises:
        ConfigurationError: the source is not known here.
    """
    kind = str(facts.get("kind") or DEFAULT_KIND)
    return cast("type[SourceSpec]", resolve(find(SPECS, kind, "the watermark's kind of source")))
