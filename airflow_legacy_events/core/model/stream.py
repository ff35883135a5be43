"""Streams as envelopes see them, and the formats of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from airflow_legacy_events.core.model.messages import Headers


class Formats(NamedTuple):
    """Formats of values that can be configured.

    Attributes:
        decimals: `string`, or `number`: the digits as a JSON number where JSON can represent them.
        bigints: `number`, or `string` for integers above 2^53 or below -2^53.
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
"""The allowed values of each of `Formats`."""


class Stream(NamedTuple):
    """A stream, as its envelope sees it.

    A template is text in which `{column}` stands for that column's text; see `core.templates`.

    Attributes:
        name: of the stream.
        topic: where its messages go.
        source: CloudEvents `source`, `/<connection>/<table as written>`, percent-encoded where a URI requires it.
        type: CloudEvents `type`, `<connection>.<table>.changed`.
        source_timezone: name of the zone in which naive times are read; if the source determines it, it is known by
            the time an envelope compiles.
        formats: how values are written.
        event_source: template to use instead of `source`.
        event_type: template to use instead of `type`.
        subject: template to use instead of the key.
        headers: names and templates of further headers of every message.
        timestamp_column: column of the message timestamp; None: the time of sending.
        tombstones: whether a deleted row's key is also sent without a value; None: as the envelope does.
        database: name of the database of a change log, as its server knows it.
        schema: of the table of a change log.
        table: of a change log, without its schema.
        product: of the server of a change log: `postgresql`, `mariadb` or `mysql`.
        transactions: whether events of a change log name their transaction.
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
    tombstones: bool | None = None
    database: str = ""
    schema: str = ""
    table: str = ""
    product: str = ""
    transactions: bool = False
