"""Replays and reruns of rows without a key."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_legacy_events.core.model import Batch
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.query.keyless.reader import TickReader
from airflow_legacy_events.sources.query.repeat import RerunRun
from airflow_legacy_events.sources.replay import RepeatRun, ReplayRun, batch_of


class _InTicks(RepeatRun):
    """Sends whole ticks, so that equal rows get the numbers, and ids, that the live stream gave them."""

    def _batches(self, at: Start) -> Iterator[Batch]:
        reader = TickReader(self.rows)
        for part in reader.parts(at, lambda start: self._read(reader, start), self.limits.page_rows):
            at = part.at
            done = self._share(at.values[0]) if at.values else None
            batch = batch_of(reader, part.rows, at, done)
            batch.copies, batch.split = part.copies, part.split
            yield batch
        yield batch_of(reader, [], at, 1.0, final=True)


class TickReplay(_InTicks, ReplayRun):
    """The ticks of a window."""


class TickRerun(_InTicks, RerunRun):
    """The ticks of a live run."""
