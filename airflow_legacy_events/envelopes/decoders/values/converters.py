"""Converter of each kind of column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Wire
from airflow_legacy_events.envelopes.decoders.values import arrays, numbers, texts, times
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError

__all__ = ["Converter", "Options", "UnfitError", "converter"]

Converter: TypeAlias = Callable[[Wire], str]


class Options(NamedTuple):
    """What a target's user decides about values.

    Attributes:
        zone: of naive columns, and of naive times for columns with a zone.
        rounds: whether digits that a column can't hold are dropped rather than refused.
        infinite: whether the database has infinite decimals and times.
        incomplete: whether it has days without year, month or day.
    """

    zone: dt.tzinfo = dt.UTC
    rounds: bool = False
    infinite: bool = True
    incomplete: bool = False


def converter(column: TargetColumn, options: Options) -> Converter:
    """Return the function that turns a JSON value into the text of a column.

    The texts are those of `core.columns.Kind`, so a table that was sent comes back as it was. The function raises
    UnfitError for a value that the column can't hold exactly.
    """
    return _MAKERS[column.kind](column, options)


def _array(column: TargetColumn, options: Options) -> Converter:
    of, elements = arrays.element_of(column), column.elements
    delimiter = "," if elements is None else elements.delimiter
    return arrays.array(converter(of, options), delimiter, nests=of.kind in (Kind.JSON, Kind.ARRAY))


def _decimal(column: TargetColumn, options: Options) -> Converter:
    return numbers.decimal(column, rounds=options.rounds, infinite=options.infinite)


def _moment(column: TargetColumn, options: Options) -> Converter:
    return times.moment(
        column, options.zone, rounds=options.rounds, infinite=options.infinite, incomplete=options.incomplete
    )


_MAKERS: dict[Kind, Callable[[TargetColumn, Options], Converter]] = {
    Kind.INTEGER: lambda column, options: numbers.integer(column, rounds=options.rounds),
    Kind.DECIMAL: _decimal,
    Kind.MONEY: lambda column, _: texts.text(column),
    Kind.FLOAT: lambda column, options: numbers.floating(column, single=False, infinite=options.infinite),
    Kind.SINGLE: lambda column, options: numbers.floating(column, single=True, infinite=options.infinite),
    Kind.BOOLEAN: lambda column, _: texts.boolean(column),
    Kind.TEXT: lambda column, _: texts.text(column),
    Kind.ANY: lambda column, _: texts.text(column),
    Kind.UUID: lambda column, _: texts.identifier(column),
    Kind.BYTES: lambda column, _: texts.data(column),
    Kind.JSON: lambda column, _: texts.document(column),
    Kind.DATE: lambda column, options: times.date(column, infinite=options.infinite, incomplete=options.incomplete),
    Kind.TIME: lambda column, options: times.time(column, rounds=options.rounds),
    Kind.TIMESTAMP: _moment,
    Kind.INSTANT: _moment,
    Kind.ARRAY: _array,
}
