"""Headers: those of the stream, and the other key of a row whose key changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Headers, Stream
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.column_encoder import encode_column
from airflow_legacy_events.envelopes.plan import Slot
from airflow_legacy_events.envelopes.planning import make_plan, without_rows
from airflow_legacy_events.envelopes.rendering import header_rows, render
from airflow_legacy_events.envelopes.timestamps import Clock

NEW_KEY, OLD_KEY = "__debezium.newkey", "__debezium.oldkey"
_OWN = ((NEW_KEY, Slot.OP), (OLD_KEY, Slot.OP))


class RowHeaders:
    """Makes the headers of one shape.

    Args:
        shape: of the rows.
        stream: whose headers they are.

    Attributes:
        fixed: the same for every message.

    Raises:
        EnvelopeError: a column can't be carried, or names collide.
    """

    def __init__(self, shape: Shape, stream: Stream) -> None:
        plan = make_plan(shape, without_rows(shape, stream), message=(), each=_OWN)
        clock = Clock(plan.timezone)
        self.fixed = plan.headers
        self._filled = [(name, part) for name, part in plan.each[len(_OWN) :] if not isinstance(part, Slot)]
        named = {part for _, parts in self._filled for part in parts if isinstance(part, int)}
        self._fields = [
            (field, codec_for(field.kind, clock, plan.formats, field.elements)) if at in named else None
            for at, field in enumerate(plan.fields)
        ]

    def each(self, columns: Sequence[Sequence[Any]], moved: Mapping[int, tuple[str, str]]) -> list[Headers] | None:
        """Return the headers that differ by message; None if there are none.

        Args:
            columns: of the rows.
            moved: a header of some rows, by their place.
        """
        if not self._filled:
            count = len(columns[0])
            return [(moved[at],) if at in moved else () for at in range(count)] if moved else None
        texts = [
            () if one is None else encode_column(one[0], one[1], columns[one[0].position]).texts for one in self._fields
        ]
        rows = header_rows([(name, render(part, texts, len(columns[0]))) for name, part in self._filled])
        return [(moved[at], *row) if at in moved else row for at, row in enumerate(rows)]
