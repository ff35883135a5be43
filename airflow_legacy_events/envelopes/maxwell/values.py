"""Values of each type as Maxwell writes them, from the texts of MariaDB and MySQL.

Numbers are JSON numbers with the digits that the database has, times are texts as the database writes them, and those
with a zone are in UTC. https://maxwells-daemon.io/dataformat/
"""

from __future__ import annotations

import json
from binascii import unhexlify
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model import Formats
from airflow_legacy_events.envelopes import numbers, texts
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError
from airflow_legacy_events.envelopes.debezium.decimals import float_codec
from airflow_legacy_events.envelopes.debezium.mapping import mapped
from airflow_legacy_events.envelopes.maxwell.geometry import well_known_text
from airflow_legacy_events.envelopes.timestamps import Clock

_MYSQL = "mysql"


def codec_of(column: Column, product: str) -> Codec:
    """Return the codec of a column.

    Args:
        column: with the database's name of its type.
        product: of the server: only MySQL has a type of its own for JSON.
    """
    if column.kind is Kind.JSON:
        return codec_for(Kind.JSON, _UTC, Formats()) if product == _MYSQL else texts.TEXT
    return _BY_TYPE.get(column.type) or _BY_KIND.get(column.kind) or codec_for(column.kind, _UTC, Formats())


def _bits(text: str) -> str:
    if not text or text.strip("01"):
        raise ValueError("no bits")
    return str(int(text, 2))


def _members(text: str) -> str:
    """Return the members of a SET as an array; no member holds a comma."""
    return json.dumps(text.split(",") if text else [], ensure_ascii=False, separators=(",", ":"))


def _in_utc(text: str) -> str:
    return quoted(text.removesuffix("+00"))


def _geometry(value: Any) -> str:
    wkb = unhexlify(value[2:]) if isinstance(value, str) else value
    if not isinstance(wkb, bytes):
        raise InvalidValueError
    return quoted(well_known_text(wkb))


def _geometries(values: Sequence[Any]) -> Forms:
    found = list(map(_geometry, values))
    return found, found


_UTC = Clock("UTC")
_BY_TYPE = {
    "bit": mapped(_bits),
    "set": mapped(_members),
    "geometry": Codec(_geometries, lambda value: (_geometry(value), _geometry(value)), plain=False),
}
_BY_KIND = {
    Kind.DECIMAL: numbers.NUMBER,
    Kind.FLOAT: float_codec(numbers.FLOAT),
    Kind.SINGLE: float_codec(numbers.SINGLE),
    Kind.INSTANT: mapped(_in_utc),
    Kind.TIMESTAMP: texts.TEXT,
}
