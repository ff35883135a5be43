"""Schemas beside Debezium's messages; each is parsed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.debezium.semantics import Semantic, semantic_of

Semantics = Mapping[str, Semantic]

_KEPT = 256
"""Schemas kept by their text: one for each table and side, and some for tables that were altered."""


class Schemas:
    """Semantics of the fields of rows, by the text of their schema."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Semantics] = OrderedDict()

    def of_row(self, schema: msgspec.Raw) -> Semantics:
        """Return the semantics of an envelope's rows, or of a flat row or key.

        Raises:
            NotUnderstoodError: it is no schema.
        """
        written = bytes(schema)
        if (found := self._known.get(written)) is None:
            found = self._known[written] = _parsed(written)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found


def _parsed(written: bytes) -> Semantics:
    try:
        schema = msgspec.json.decode(written)
        fields = _row(schema)
        named = {one["field"]: semantic_of(one) for one in fields}
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise NotUnderstoodError("NOT_JSON", "the schema of the message has another form than Connect's") from None
    return {name: found for name, found in named.items() if found is not None}


def _row(schema: Any) -> list[Any]:
    fields: list[Any] = schema["fields"]
    images = [one for one in fields if one.get("field") == "after" and one.get("type") == "struct"]
    return list(images[0]["fields"]) if images else fields
