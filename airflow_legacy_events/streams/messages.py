"""Message format of a stream: how values are written, and which parts come from templates and columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import FORMATS, Formats, Stream
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.options import StreamOptions

FIELDS = ("event_type", "event_source", "subject", "timestamp_column")
"""Templated arguments of row streams, handled in this module."""

_ATTRIBUTES = ("event_type", "event_source", "subject")
_WITHOUT_ATTRIBUTES = ("plain", "debezium", "maxwell")
_OWN_VALUES = {
    "debezium": ("Debezium", "\nFor decimals as texts use envelope=DebeziumEnvelope(decimals='string')"),
    "maxwell": ("Maxwell", ""),
}
"""Envelopes that write values in a way of their own: as whom, and what to do instead."""


def check(options: StreamOptions) -> None:
    """Refuse wrong arguments, as far as they can be known before they are rendered."""
    for name, words in FORMATS.items():
        arguments.choice(name, getattr(options, name), words)
    for name in _ATTRIBUTES:
        if options.envelope in _WITHOUT_ATTRIBUTES and getattr(options, name) is not None:
            raise ConfigurationError(
                f"{name}= has no effect with envelope={options.envelope!r}, whose messages have none; leave it out"
            )
    _check_own_values(options)
    _check_tombstones(options)
    _headers(options.headers)
    for name, text in (*((name, getattr(options, name)) for name in _ATTRIBUTES), *dict(options.headers or {}).items()):
        if text is not None and not holds_template(text):
            templates.parse(text, f"{name}=")


def applied(stream: Stream, options: StreamOptions) -> Stream:
    """Return the stream with the message options from the rendered arguments.

    Raises:
        ConfigurationError: an argument is of the wrong form, or a template can't be read.
    """
    shaped = stream._replace(
        formats=Formats(**{name: getattr(options, name) for name in FORMATS}),
        headers=_headers(options.headers),
        tombstones=options.tombstones,
        **{name: getattr(options, name) for name in (*_ATTRIBUTES, "timestamp_column")},
    )
    columns(shaped)
    return shaped


def columns(stream: Stream) -> tuple[str, ...]:
    """Return the columns that messages need in addition to those in their data.

    Raises:
        ConfigurationError: a template can't be read.
    """
    given = [(name, getattr(stream, name)) for name in _ATTRIBUTES]
    written = [
        *((f"{name}=", text) for name, text in given),
        *((f"the header {name!r}", t) for name, t in stream.headers),
    ]
    named = templates.columns_of(*(templates.parse(text, what) for what, text in written if text is not None))
    return named if stream.timestamp_column is None else (*named, stream.timestamp_column)


def _check_own_values(options: StreamOptions) -> None:
    if not isinstance(options.envelope, str) or options.envelope not in _OWN_VALUES:
        return
    if changed := [name for name, words in FORMATS.items() if getattr(options, name) != words[0]]:
        who, instead = _OWN_VALUES[options.envelope]
        raise ConfigurationError(
            f"{changed[0]}= has no effect with envelope={options.envelope!r}, which writes values as {who} does; leave"
            f" it out.{instead}"
        )


def _check_tombstones(options: StreamOptions) -> None:
    if options.tombstones not in (None, True, False):
        raise ConfigurationError(f"tombstones= must be True, False, or left out; found {options.tombstones!r}")
    if options.tombstones is False and options.envelope == "plain":
        raise ConfigurationError(
            "tombstones=False has no effect with envelope='plain', whose deletes are tombstones; leave it out, or use"
            " envelope='cloudevents'"
        )


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
