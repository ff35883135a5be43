"""What a task asks of its messages: how values are written, and what comes from templates and columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import FORMATS, Formats, Stream
from airflow_legacy_events.hooks import arguments as _arguments
from airflow_legacy_events.hooks import naming as _naming

FIELDS = ("event_type", "event_source", "subject", "headers", "timestamp_column")
"""The templated ones of the arguments that are read here."""

_ATTRIBUTES = ("event_type", "event_source", "subject")


def check(asked: Any) -> None:
    """Refuse wrong arguments, as far as they can be known before they are rendered."""
    for name, words in FORMATS.items():
        _arguments.choice(name, getattr(asked, name), words)
    for name in _ATTRIBUTES:
        if asked.envelope == "plain" and getattr(asked, name) is not None:
            raise ConfigurationError(
                f"{name}= has no effect with envelope='plain', whose messages have none; leave it out"
            )
    _headers(asked.headers)
    for name, text in (*((name, getattr(asked, name)) for name in _ATTRIBUTES), *dict(asked.headers or {}).items()):
        if text is not None and not _naming.holds_template(text):
            templates.parse(text, f"{name}=")


def applied(stream: Stream, asked: Any) -> Stream:
    """Return the stream with what the rendered arguments ask.

    Raises:
        ConfigurationError: an argument is of the wrong form.
    """
    return stream._replace(
        formats=Formats(**{name: getattr(asked, name) for name in FORMATS}),
        headers=_headers(asked.headers),
        **{name: getattr(asked, name) for name in (*_ATTRIBUTES, "timestamp_column")},
    )


def columns(stream: Stream) -> tuple[str, ...]:
    """The columns that messages need besides what their data holds.

    Raises:
        ConfigurationError: a template can't be read.
    """
    asked = [(name, getattr(stream, name)) for name in _ATTRIBUTES]
    written = [
        *((f"{name}=", text) for name, text in asked),
        *((f"the header {name!r}", t) for name, t in stream.headers),
    ]
    named = templates.columns_of(*(templates.parse(text, what) for what, text in written if text is not None))
    return named if stream.timestamp_column is None else (*named, stream.timestamp_column)


def _headers(found: Any) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and name and isinstance(text, str) for name, text in found.items()
    ):
        raise ConfigurationError(
            f"headers= must be a dict of names and texts, such as {{'region': '{{region}}'}}; found {found!r}"
        )
    return tuple(found.items())
