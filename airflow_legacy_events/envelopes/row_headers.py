"""Headers of each row: those of the stream, and one that the envelope gives to some rows."""

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


class RowHeaders:
    """Makes the headers of one shape.

    Args:
        shape: of the rows.
        stream: whose headers they are.
        own: names of the headers that the envelope itself gives to rows.

    Attributes:
        fixed: the same for every message.

    Raises:
        EnvelopeError: a column can't be carried, or names collide.
    """

    def __init__(self, shape: Shape, stream: Stream, own: Sequence[str] = ()) -> None:
        taken = tuple((name, Slot.OP) for name in own)
        plan = make_plan(shape, without_rows(shape, stream), message=(), each=taken)
        clock = Clock(plan.timezone)
        self.fixed = plan.headers
        self._filled = [(name, part) for name, part in plan.each[len(taken) :] if not isinstance(part, Slot)]
        named = {part for _, parts in self._filled for part in parts if isinstance(part, int)}
        self._fields = [
            (field, codec_for(field.kind, clock, plan.formats, field.elements)) if at in named else None
            for at, field in enumerate(plan.fields)
        ]

    def each(self, columns: Sequence[Sequence[Any]], own: Mapping[int, tuple[str, str]]) -> list[Headers] | None:
        """Return the headers that differ by message; None if there are none.

        Args:
            columns: of the rows.
            own: a header that the envelope gives to some rows, by their place.
        """
        if not self._filled:
            count = len(columns[0])
            return [(own[at],) if at in own else () for at in range(count)] if own else None
        texts = [
            () if one is None else encode_column(one[0], one[1], columns[one[0].position]).texts for one in self._fields
        ]
        rows = header_rows([(name, render(part, texts, len(columns[0]))) for name, part in self._filled])
        return [(own[at], *row) if at in own else row for at, row in enumerate(rows)]
