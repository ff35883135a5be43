"""Schemas beside Debezium's messages; each is parsed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.envelopes.decoders.debezium.column_types import column_of
from airflow_legacy_events.envelopes.decoders.debezium.semantics import Semantic, semantic_of

Semantics: TypeAlias = Mapping[str, Semantic]

_KEPT = 256
"""Schemas kept by their text: one for each table and side, and some for tables that were altered."""


class Described(NamedTuple):
    """What a schema says of a row's fields.

    Attributes:
        semantics: of those whose values stand for something else.
        columns: that hold each field's values.
    """

    semantics: Semantics
    columns: Mapping[str, NewColumn]


class Schemas:
    """What is known of the fields of rows, by the text of their schema."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Described] = OrderedDict()

    def of_row(self, schema: msgspec.Raw) -> Described:
        """Return what a schema says of an envelope's rows, or of a flat row or key.

        Raises:
            NotUnderstoodError: it is no schema.
        """
        written = bytes(schema)
        if (found := self._known.get(written)) is None:
            found = self._known[written] = _parsed(written)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found


def _parsed(written: bytes) -> Described:
    try:
        fields = _row(msgspec.json.decode(written))
        semantics = {str(one["field"]): semantic_of(one) for one in fields}
        columns = {str(one["field"]): column_of(one) for one in fields}
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise NotUnderstoodError("NOT_JSON", "the schema of the message has another form than Connect's") from None
    return Described({name: one for name, one in semantics.items() if one is not None}, columns)


def _row(schema: Any) -> list[Any]:
    fields: list[Any] = schema["fields"]
    images = [one for one in fields if one.get("field") == "after" and one.get("type") == "struct"]
    return list(images[0]["fields"]) if images else fields
