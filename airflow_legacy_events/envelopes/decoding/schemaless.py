"""Values of Debezium without their schema: what the column and the user's options say of numbers and base64."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.debezium import semantics
from airflow_legacy_events.envelopes.decoders.values import UnfitError
from airflow_legacy_events.envelopes.decoders.values.arrays import element_of
from airflow_legacy_events.envelopes.decoders.values.documents import base_of
from airflow_legacy_events.envelopes.decoders.values.texts import bits_of
from airflow_legacy_events.envelopes.decoders.wire import is_json

Reading: TypeAlias = Callable[[Wire], Wire]

_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE, Kind.MONEY})
_FLOATS = frozenset({Kind.FLOAT, Kind.SINGLE})
_SPECIAL = ("NaN", "Infinity")
"""Floats that Connect's JSON converter writes as texts; they look like base64."""

_TIMES = frozenset({Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT})
_DIGITS = re.compile(r"\d+", re.ASCII)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


class Types(NamedTuple):
    """What a user says about values that lack their type; see `DecodingOptions`."""

    epoch_unit: str | Mapping[str, str] | None = None
    decimal_scales: Mapping[str, int | None] | None = None

    def unit(self, column: str) -> str | None:
        """Return the unit of numbers that stand for times in a column."""
        return self.epoch_unit.get(column) if isinstance(self.epoch_unit, Mapping) else self.epoch_unit

    def concern(self, column: TargetColumn) -> bool:
        """Whether they say something about a column."""
        if column.kind in _NUMERIC:
            return column.name in (self.decimal_scales or {})
        return column.kind in _TIMES and self.unit(column.name) is not None


def reading(column: TargetColumn, types: Types) -> Reading | None:
    """Return what makes a value say its type; None for a kind of column whose values always do.

    It raises UnfitError for a value that can be read in more than one way; the reason names the option that decides.
    """
    if column.kind is Kind.ARRAY:
        element = reading(element_of(column), types)
        return None if element is None else _refusing(_elements(element))
    if column.kind is Kind.DATE:
        return _refusing(_of_numbers(semantics.date))
    if column.kind in _TIMES:
        return _refusing(_time(column, types.unit(column.name)))
    if column.kind is Kind.JSON:
        return _document
    if column.kind in _NUMERIC:
        return _refusing(_number(column, types.decimal_scales or {}))
    return _special(column) if column.kind is Kind.TEXT else None


def _special(column: TargetColumn) -> Reading | None:
    base, width = base_of(column), bits_of(column)
    if width is not None:
        bits = semantics.bits(width)
        return _refusing(lambda found: bits(found) if found.form is Form.TEXT else found)
    if base == "hstore":
        return _document
    return _refusing(_of_numbers(semantics.duration("us"))) if base.startswith("interval") else None


def _elements(element: Reading) -> Reading:
    """Elements of an array in any number of dimensions."""

    def read(found: Wire) -> Wire:
        return nested(found) if _is_array(found) else element(found)

    nested = semantics.elements(read)
    return lambda found: nested(found) if _is_array(found) else found


def _is_array(found: Wire) -> bool:
    return found.form is Form.DOCUMENT and found.text.startswith("[")


def _of_numbers(semantic: Reading) -> Reading:
    return lambda found: semantic(found) if found.form is Form.NUMBER else found


def _document(found: Wire) -> Wire:
    """A document comes as a text; a JSON text that is no document has its quotes in it."""
    if found.form is not Form.TEXT:
        return found
    if not is_json(found.text):
        raise UnfitError("its text is no JSON")
    return Wire(Form.DOCUMENT, found.text)


def _time(column: TargetColumn, unit: str | None) -> Reading:
    if unit is None:

        def refuse(found: Wire) -> Wire:
            if found.form is not Form.NUMBER:
                return found
            raise UnfitError(
                f"it is a number, and only epoch_unit= says of what: 'ms', 'us' or 'ns', or {{{column.name!r}: …}}"
            )

        return refuse
    offset = "Z" if column.kind is Kind.INSTANT else ""
    return _of_numbers(semantics.clock(unit) if column.kind is Kind.TIME else semantics.moment(unit, offset))


def _number(column: TargetColumn, scales: Mapping[str, int | None]) -> Reading:
    known, scale = column.name in scales, scales.get(column.name)
    semantic = None if scale is None else semantics.decimal(scale)
    special = _SPECIAL if column.kind in _FLOATS and semantic is None else ()

    def read(found: Wire) -> Wire:
        if found.form is Form.DOCUMENT:
            return semantics.variable_decimal(found)
        if found.form is not Form.TEXT or (known and semantic is None) or found.text in special:
            return found
        if semantic is not None:
            return semantic(found)
        if _DIGITS.fullmatch(found.text):
            raise UnfitError(
                f"its text may be digits or base64; decimal_scales={{{column.name!r}: …}} decides: digits behind the"
                " point of base64, or None for digits"
            )
        if _BASE64.fullmatch(found.text) and found.text:
            raise UnfitError(
                f"it is base64, and only decimal_scales={{{column.name!r}: …}} says its digits behind the point"
            )
        return found

    return read


def _refusing(read: Reading) -> Reading:
    def refusing(found: Wire) -> Wire:
        try:
            return read(found)
        except NotUnderstoodError as error:
            raise UnfitError(str(error)) from None

    return refusing
