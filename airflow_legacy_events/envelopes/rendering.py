"""Rendering of templates with the texts of rows, and headers that vary by message."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from airflow_legacy_events.core.model import Headers
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.plan import FieldTemplate


def render(template: FieldTemplate, texts: Sequence[Values], count: int) -> Values:
    """Return the template's text for each row; None if one of its columns is NULL.

    Args:
        template: what to render.
        texts: of all fields.
        count: number of rows.
    """
    fields = [part for part in template if isinstance(part, int)]
    if len(fields) == 1:
        return _of_one(template, texts[fields[0]])
    columns = [repeat(part, count) if isinstance(part, str) else texts[part] for part in template or [""]]
    return [None if None in parts else "".join(parts) for parts in zip(*columns, strict=True)]


def _of_one(template: FieldTemplate, texts: Values) -> Values:
    """Return the texts of a template with one field, rendered once for each distinct value: topics have few."""
    made = {
        text: None if text is None else "".join(part if isinstance(part, str) else text for part in template)
        for text in set(texts)
    }
    return list(map(made.__getitem__, texts))


def header_rows(columns: Sequence[tuple[str, Values]]) -> list[Headers]:
    """Return the headers of each message; a header whose value is None is left out."""
    named = [list(zip(repeat(name), values, strict=False)) for name, values in columns]
    rows: list[Any] = list(zip(*named, strict=True))
    if any(None in values for _, values in columns):
        return [tuple(header for header in row if header[1] is not None) for row in rows]
    return rows
