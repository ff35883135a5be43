"""Debezium's placeholders of values that the log left out, since an update did not change them."""

from __future__ import annotations

import json
from base64 import b64encode
from json.encoder import encode_basestring as quoted

from airflow_legacy_events.core.columns import Column, Kind

UNAVAILABLE = "__debezium_unavailable_value"


def placeholder(column: Column, type_: str) -> str:
    """Return the JSON that stands for an unchanged value of a column.

    Args:
        column: whose value it is.
        type_: the database's name of its type, without precision.
    """
    if column.kind is Kind.BYTES:
        return quoted(b64encode(UNAVAILABLE.encode()).decode())
    if column.kind is Kind.ARRAY and column.elements is not None:
        integers = column.elements.kind is Kind.INTEGER
        return json.dumps(list(UNAVAILABLE.encode()) if integers else [UNAVAILABLE], separators=(",", ":"))
    if type_ == "hstore":
        return quoted(json.dumps({UNAVAILABLE: UNAVAILABLE}, separators=(",", ":")))
    return quoted(UNAVAILABLE)
