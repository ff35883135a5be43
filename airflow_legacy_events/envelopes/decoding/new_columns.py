"""Columns that are made for fields: by the user's word, else by the message's schema, else by its JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.meaning import Fields, Form, Wire
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.envelopes.decoding import metadata
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions

_INTEGERS = range(-(2**63), 2**63)
_LONGEST = 20
_FORMS = {Form.TEXT: Kind.TEXT, Form.BOOLEAN: Kind.BOOLEAN, Form.DOCUMENT: Kind.JSON}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})


def kind_of(value: Wire) -> Kind:
    """Return the kind of a JSON value: text, integer of eight bytes, decimal, boolean, or JSON."""
    if value.form is not Form.NUMBER:
        return _FORMS[value.form]
    digits = value.text.removeprefix("-")
    if not digits.isdigit() or len(digits) > _LONGEST or int(value.text) not in _INTEGERS:
        return Kind.DECIMAL
    return Kind.INTEGER


def kinds_of(rows: Iterable[Fields]) -> dict[str, Kind | None]:
    """Return the kind that holds all values of each field, None if all are null."""
    found: dict[str, Kind | None] = {}
    for row in rows:
        for name, value in row.items():
            known = found.setdefault(name, None)
            if value is not None:
                kind = kind_of(value)
                found[name] = kind if known in (None, kind) else _both(known, kind)
    return found


def _both(one: Kind | None, other: Kind) -> Kind:
    return Kind.DECIMAL if {one, other} == _NUMBERS else Kind.TEXT


def new_columns(
    options: DecodingOptions,
    kinds: Mapping[str, Kind | None],
    schema: Mapping[str, NewColumn],
    key: Sequence[str] = (),
) -> list[NewColumn]:
    """Return columns for fields, under the names that the columns have.

    Args:
        options: of the user.
        kinds: of the fields.
        schema: of the message, by field.
        key: names of columns that identify a row.
    """
    renamed, types = options.renamed or {}, options.column_types or {}
    found = []
    for name, kind in kinds.items():
        column = renamed.get(name, name)
        one = schema.get(name) or NewColumn(column, _declared(options, column, kind) or kind or Kind.TEXT)
        found.append(one._replace(name=column, type=types.get(column), nullable=column not in key))
    return found


def _declared(options: DecodingOptions, column: str, kind: Kind | None) -> Kind | None:
    """Return the kind that decimal_scales= or epoch_unit= gives a column by name; None if they don't name it."""
    if kind in (Kind.TEXT, None) and column in (options.decimal_scales or {}):
        return Kind.DECIMAL
    units = options.epoch_unit
    return Kind.TIMESTAMP if kind in (Kind.INTEGER, None) and isinstance(units, Mapping) and column in units else None


def metadata_columns(options: DecodingOptions, key: Sequence[str] = ()) -> list[NewColumn]:
    """Return columns for what is kept of a message beside its row."""
    types = options.column_types or {}
    return [
        NewColumn(column, metadata.KINDS.get(name, Kind.TEXT), types.get(column), column not in key)
        for name, column in options.metadata.items()
    ]
