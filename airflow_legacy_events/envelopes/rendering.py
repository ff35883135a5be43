"""Templates rendered with the texts of rows, and the headers that differ from message to message."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from airflow_legacy_events.core.model import Headers
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.plan import FieldTemplate


def render(template: FieldTemplate, texts: Sequence[Values], count: int) -> Values:
    """Return the template's text for each row; None where a column that it names is NULL.

    Args:
        template: what to render.
        texts: of all fields.
        count: how many rows.
    """
    columns = [repeat(part, count) if isinstance(part, str) else texts[part] for part in template or [""]]
    return [None if None in parts else "".join(parts) for parts in zip(*columns, strict=True)]


def header_rows(columns: Sequence[tuple[str, Values]]) -> list[Headers]:
    """Return the headers of each message; one has no header where the value is None."""
    named = [[None if value is None else (name, value) for value in values] for name, values in columns]
    rows = list(zip(*named, strict=True))
    if any(None in column for column in named):
        return [tuple(header for header in row if header is not None) for row in rows]
    return rows
