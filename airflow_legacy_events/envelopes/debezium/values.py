"""Values of each type as Debezium writes them by default, from the texts of PostgreSQL.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model import Formats
from airflow_legacy_events.envelopes import numbers, texts
from airflow_legacy_events.envelopes.arrays import array_codec
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.debezium import binlog_values, special, times
from airflow_legacy_events.envelopes.debezium.decimals import decimal_codec, float_codec
from airflow_legacy_events.envelopes.debezium.mapping import mapped
from airflow_legacy_events.envelopes.debezium.unavailable import placeholder
from airflow_legacy_events.envelopes.json_column import Forms, JsonColumn
from airflow_legacy_events.envelopes.timestamps import Clock

_PRECISION = re.compile(r"\(([0-9]+)(?:, *(-?[0-9]+))?\)")
_MILLISECONDS = 3
"""Digits up to which Debezium counts milliseconds, by its `time.precision.mode=adaptive`."""

_MICROSECONDS = 6


class TypeName(NamedTuple):
    """A type's name as the database writes it.

    Attributes:
        name: without schema, precision, quotes and brackets.
        precision: None if it has none.
        scale: None if it has none.
    """

    name: str
    precision: int | None
    scale: int | None

    @classmethod
    def of(cls, written: str) -> TypeName:
        """Return the parts of a name such as `numeric(10,2)[]`."""
        found = _PRECISION.search(written)
        name = _PRECISION.sub("", written).replace("[]", "").rpartition(".")[2].strip(' "')
        if found is None:
            return cls(name, None, None)
        return cls(name, int(found[1]), None if found[2] is None else int(found[2]))


class ColumnForms(JsonColumn):
    """Writes one column.

    Args:
        column: whose values they are.
        precise: whether decimals are bytes; else texts.
        binlog: whether the database is MariaDB or MySQL.
    """

    def __init__(self, column: Column, *, precise: bool, binlog: bool = False) -> None:
        super().__init__(column, (binlog_values.codec_of if binlog else codec_of)(column, precise=precise))
        self._placeholder = placeholder(column, TypeName.of(column.type).name)

    def filled(self, forms: Forms, empty: Forms) -> list[str]:
        """Return the JSON of each value, with something for those that the log left out.

        Args:
            forms: of the values.
            empty: what stands for each of them; None: Debezium's placeholder of an unchanged value.
        """
        if None not in forms:
            return list(map(str, forms))
        pairs = zip(forms, empty, strict=True)
        return [(self._placeholder if other is None else other) if one is None else one for one, other in pairs]


def codec_of(column: Column, *, precise: bool) -> Codec:
    """Return the codec of a column.

    Args:
        column: with the database's name of its type.
        precise: whether decimals are bytes; else texts.
    """
    if column.kind is Kind.ARRAY and column.elements is not None:
        elements = column.elements
        one = column._replace(kind=elements.kind, elements=elements.elements)
        return array_codec(codec_of(one, precise=precise), elements.delimiter)
    type_ = TypeName.of(column.type)
    if column.kind in (Kind.DECIMAL, Kind.MONEY):
        return decimal_codec(column, type_.scale, precise=precise)
    if column.kind is Kind.TEXT:
        return special.codec_of(column, type_.name)
    if (codec := _temporal(column, type_)) is not None:
        return codec
    return _CODECS.get(column.kind) or codec_for(column.kind, _UTC, Formats())


def _temporal(column: Column, type_: TypeName) -> Codec | None:
    """Return the codec of a date or time; None for other kinds."""
    coarse = type_.precision is not None and type_.precision <= _MILLISECONDS
    if column.kind is Kind.DATE:
        return mapped(special.finite(column, times.days, "an infinite date"))
    if column.kind is Kind.TIME:
        zoned = type_.name == "timetz" or type_.name.endswith("with time zone")
        return mapped(times.zoned, wrapped=True) if zoned else mapped(_scaled(times.clock, coarse=coarse))
    if column.kind is Kind.TIMESTAMP:
        return mapped(_scaled(times.micros, coarse=coarse))
    if column.kind is Kind.INSTANT:
        digits = _MICROSECONDS if type_.precision is None else type_.precision
        return mapped(lambda text: times.instant(text, digits), wrapped=True)
    return None


def _scaled(convert: Callable[[str], int], *, coarse: bool) -> Callable[[str], str]:
    return lambda text: str(convert(text) // 1_000 if coarse else convert(text))


_UTC = Clock("UTC")
_CODECS = {
    Kind.UUID: texts.TEXT,
    Kind.JSON: texts.TEXT,
    Kind.FLOAT: float_codec(numbers.FLOAT),
    Kind.SINGLE: float_codec(numbers.SINGLE),
}
