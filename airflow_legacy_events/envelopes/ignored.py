"""Arguments of a stream that an envelope with a form of its own ignores."""

from __future__ import annotations

from airflow_legacy_events.core.model import Formats, Stream


def first_ignored(stream: Stream) -> str | None:
    """Return the first given argument of attributes, formats or zone, which such an envelope does not use, if any."""
    given = [name for name in ("event_type", "event_source", "subject") if getattr(stream, name) is not None]
    given += [name for name, default in Formats()._asdict().items() if getattr(stream.formats, name) != default]
    given += ["source_timezone"] if stream.source_timezone != "UTC" else []
    return given[0] if given else None
