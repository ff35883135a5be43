"""Arrays: a JSON array as PostgreSQL writes its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError
from airflow_legacy_events.envelopes.decoders.wire import wire

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_ARRAY = ord("[")


def array(element: Callable[[Wire], str], delimiter: str, *, nests: bool = False) -> Callable[[Wire], str]:
    """Return the converter of an array column, in any number of dimensions.

    Args:
        element: converter of one element.
        delimiter: between two elements.
        nests: whether an element may be an array itself, which can't be distinguished from a dimension.
    """

    def literal(raw: Any, *, outermost: bool = False) -> str:
        if bytes(raw)[0] == _ARRAY:
            if nests and not outermost:
                raise UnfitError("an array in it may be an element or a dimension")
            return f"{{{delimiter.join(map(literal, _ITEMS.decode(raw)))}}}"
        found = wire(raw)
        if found is None:
            return "NULL"
        escaped = element(found).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    def convert(found: Wire) -> str:
        if found.form is not Form.DOCUMENT or not found.text.startswith("["):
            raise UnfitError("it is no array")
        return literal(msgspec.Raw(found.text.encode()), outermost=True)

    return convert


def element_of(column: TargetColumn) -> TargetColumn:
    """Return the column of an array's elements."""
    assert column.elements is not None, "an array without elements"  # noqa: S101
    elements = column.elements
    return column._replace(kind=elements.kind, elements=elements.elements)
