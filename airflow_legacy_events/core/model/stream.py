"""Streams as envelopes know them, and the formats of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from airflow_legacy_events.core.model.messages import Headers


class Formats(NamedTuple):
    """Formats of values, where there is a choice.

    Attributes:
        decimals: `string`, or `number`: the digits as a JSON number where JSON can write them.
        bigints: `number`, or `string` for integers beyond 2^53 either way.
        times: `rfc3339`, or `naive`: times without a zone as the database writes them.
        bytes: `base64`, or `hex`.
    """

    decimals: str = "string"
    bigints: str = "number"
    times: str = "rfc3339"
    bytes: str = "base64"


FORMATS: Mapping[str, tuple[str, ...]] = {
    "decimals": ("string", "number"),
    "bigints": ("number", "string"),
    "times": ("rfc3339", "naive"),
    "bytes": ("base64", "hex"),
}
"""The words that each of `Formats` may be."""


class Stream(NamedTuple):
    """A stream, as the envelope that serves it knows it.

    A template is text in which `{column}` stands for that column's text; see `core.templates`.

    Attributes:
        name: of the stream.
        topic: where its messages go.
        source: CloudEvents `source`, `/<connection>/<table as written>`, percent-encoded where a URI wants it.
        type: CloudEvents `type`, `<connection>.<table>.changed`.
        source_timezone: name of the zone in which naive times are read; where it is the source's to say, known when an
            envelope compiles.
        formats: how values are written.
        event_source: template to use instead of `source`.
        event_type: template to use instead of `type`.
        subject: template to use instead of the key.
        headers: names and templates of further headers of every message.
        timestamp_column: the message timestamp; None: the time at which it is sent.
    """

    name: str
    topic: str
    source: str
    type: str
    source_timezone: str = "UTC"
    formats: Formats = Formats()
    event_source: str | None = None
    event_type: str | None = None
    subject: str | None = None
    headers: Headers = ()
    timestamp_column: str | None = None
