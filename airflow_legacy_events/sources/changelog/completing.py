"""Rows under a new key, of which the log left out unchanged values: they are read from the table by their key.

Consumers of the new key have never seen those values. Every later change of an unchanged value would be left out too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.model import Batch
from airflow_legacy_events.sources.changelog.tables import LoggedTable, Tables
from airflow_legacy_events.sources.changelog.unchanged import as_text

KEYS = 500
"""Rows that one statement reads."""


class Completion:
    """Completes rows whose key changed.

    A completed row holds values as they are now, which may be newer than the change. Its event id therefore ends with
    the checksum of its data. A row that is gone by now keeps its gaps: a later change in the log says so.

    Args:
        lookup: describes the rows of a table.
    """

    def __init__(self, lookup: Tables) -> None:
        self._lookup = lookup
        self._shapes: dict[Shape, Shape] = {}

    def batches(self, batch: Batch, table: LoggedTable) -> Iterator[Batch]:
        """Yield a batch of changes, split where completed rows begin and end; the order of its rows is kept."""
        shape = batch.shape
        assert shape.unchanged is not None  # noqa: S101
        unchanged = shape.unchanged
        wanted = [at for at, row in enumerate(batch.rows) if row[unchanged] is not None and batch.op[at] == "c"]
        completed = self._completed(batch, table, wanted) if wanted else {}
        if not completed:
            yield batch
            return
        checked = self._shapes.setdefault(shape, dataclasses.replace(shape, numbered=False))
        for whole, places in groupby(range(batch.count), completed.__contains__):
            some = list(places)
            rows = [completed[at] if whole else batch.rows[at] for at in some]
            ops = [batch.op[at] for at in some]
            yield dataclasses.replace(batch, shape=checked if whole else shape, rows=rows, count=len(rows), op=ops)

    def _completed(self, batch: Batch, table: LoggedTable, wanted: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Return the rows that are there under their key, by their place in the batch."""
        shape, found = batch.shape, dict[int, tuple[Any, ...]]()
        rows = self._lookup.rows(table)
        now = rows.selection.shape
        names = now.named(range(len(now.columns)))
        keys = {at: tuple(batch.rows[at][part] for part in shape.key) for at in wanted}
        for start in range(0, len(wanted), KEYS):
            some = [keys[at] for at in wanted[start : start + KEYS]]
            there: dict[tuple[Any, ...], tuple[Any, ...]] = {}
            while some:
                page = {tuple(row[part] for part in now.key): row for row in rows.of_keys(some, len(some))}
                there |= page
                some = [key for key in some if key not in page] if page else []
            for at in wanted[start : start + KEYS]:
                if (row := there.get(keys[at])) is not None:
                    found[at] = _filled(shape, batch.rows[at], dict(zip(names, row, strict=True)))
        return found


def _filled(shape: Shape, row: tuple[Any, ...], now: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row of the log with its absent values taken from the table."""
    values = list(row)
    for at in shape.data:
        if values[at] is ABSENT:
            values[at] = now.get(shape.columns[at].name, ABSENT)
    assert shape.unchanged is not None  # noqa: S101
    values[shape.unchanged] = as_text([shape.columns[at].name for at in shape.data if values[at] is ABSENT])
    return tuple(values)
