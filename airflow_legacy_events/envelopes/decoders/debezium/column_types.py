"""Columns for the fields of a schema of Connect, by Debezium's semantic types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports.target import NewColumn

_TYPES: Mapping[str, Kind] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), Kind.INTEGER),
    **dict.fromkeys(("float", "float32"), Kind.SINGLE),
    **dict.fromkeys(("double", "float64"), Kind.FLOAT),
    "boolean": Kind.BOOLEAN,
    "string": Kind.TEXT,
    "bytes": Kind.BYTES,
}
"""Kinds by the type of a schema; all others are documents."""

_NAMES: Mapping[str, tuple[Kind, int | None]] = {
    **dict.fromkeys(
        ("io.debezium.time.Date", "org.apache.kafka.connect.data.Date", "io.debezium.time.IsoDate"), (Kind.DATE, None)
    ),
    **dict.fromkeys(("io.debezium.time.Time", "org.apache.kafka.connect.data.Time"), (Kind.TIME, 3)),
    "io.debezium.time.MicroTime": (Kind.TIME, 6),
    "io.debezium.time.NanoTime": (Kind.TIME, 9),
    "io.debezium.time.IsoTime": (Kind.TIME, None),
    **dict.fromkeys(("io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp"), (Kind.TIMESTAMP, 3)),
    "io.debezium.time.MicroTimestamp": (Kind.TIMESTAMP, 6),
    "io.debezium.time.NanoTimestamp": (Kind.TIMESTAMP, 9),
    "io.debezium.time.IsoTimestamp": (Kind.TIMESTAMP, None),
    "io.debezium.time.ZonedTimestamp": (Kind.INSTANT, None),
    **dict.fromkeys(("io.debezium.time.MicroDuration", "io.debezium.time.NanoDuration"), (Kind.TEXT, None)),
    "io.debezium.data.Json": (Kind.JSON, None),
    "io.debezium.data.Uuid": (Kind.UUID, None),
    "io.debezium.data.Bits": (Kind.TEXT, None),
    "io.debezium.data.VariableScaleDecimal": (Kind.DECIMAL, None),
}
"""Kinds, and digits behind the point, by the semantic name of a schema."""

_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_LENGTH = "__debezium.source.column.length"
"""Parameter that the connector's option column.propagate.source.type adds."""


def column_of(schema: Mapping[str, Any]) -> NewColumn:
    """Return a column that holds the values of a field."""
    name, parameters = str(schema["field"]), schema.get("parameters") or {}
    if schema.get("name") == _DECIMAL:
        precision = parameters.get("connect.decimal.precision")
        scale = int(parameters.get("scale", 0))
        return NewColumn(name, Kind.DECIMAL, precision=_number(precision), scale=None if precision is None else scale)
    known = _NAMES.get(str(schema.get("name")))
    if known is not None:
        return NewColumn(name, known[0], scale=known[1])
    kind = _TYPES.get(str(schema.get("type")), Kind.JSON)
    return NewColumn(name, kind, length=_number(parameters.get(_LENGTH)) if kind is Kind.TEXT else None)


def _number(text: Any) -> int | None:
    return None if text is None else int(text)
