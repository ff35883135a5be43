"""Recording of a run's facts, even if there is nothing new to deliver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.model import Batch, Horizon, Watermark
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.query.incremental import position_of
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection


def recording(batches: Iterator[Batch], selection: Selection, unrecorded: Watermark) -> Iterator[Batch]:
    """Yield the batches; if there are none, an empty batch at the watermark from which the run continues."""
    quiet = True
    for batch in batches:
        quiet = False
        yield batch
    if quiet:
        after = Watermark(None, None, {})
        if unrecorded.values is not None:
            start = Start(unrecorded.values, included=bool(unrecorded.facts.get("included")))
            after = position_of(start, len(selection.columns))
        yield Batch(selection.shape, [], 0, after, selection.op, final=True)


def completed(horizon: Horizon, facts: Mapping[str, Any], rows: Rows) -> Horizon:
    """Return the horizon with the facts of the run, shape and zone of its rows, and what is unknown about them."""
    reason = "; ".join((horizon.reason, *(f"not known: {one}" for one in rows.unknown)))
    horizon = horizon._replace(facts={**facts, **horizon.facts}, shape=rows.selection.shape, reason=reason)
    return horizon._replace(timezone=rows.timezone)
