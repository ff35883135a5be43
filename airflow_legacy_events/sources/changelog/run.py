"""One run over a change log: beginning, joining tables, legs, and the changes up to the target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.model import Batch, MetTopics
from airflow_legacy_events.core.ports import ChangeLog
from airflow_legacy_events.sources.changelog.draining import Drain, behind
from airflow_legacy_events.sources.changelog.leg_state import READ, Progress
from airflow_legacy_events.sources.changelog.legs import Legs
from airflow_legacy_events.sources.changelog.tables import LoggedTable, Tables


@dataclass(kw_only=True)
class LogRun:
    """Yields the batches of a run.

    Attributes:
        log: to read.
        lookup: describes tables.
        tables: of the stream, by `schema.table`.
        progress: of the stream.
        drain: of the log.
        legs: of the snapshot.
        joining: tables that are new to a log which has begun.
        target: place where the run ends.
        left_out: tables whose rows a first run leaves out.
        compacted: take note of compacted topics.
        same_topics: judges the identities of topics; returns them as facts.
    """

    log: ChangeLog
    lookup: Tables
    tables: dict[str, LoggedTable]
    progress: Progress
    drain: Drain
    legs: Legs
    joining: Sequence[str]
    target: str
    left_out: Collection[str]
    compacted: Sequence[Callable[[Sequence[str]], None]]
    same_topics: Callable[[Mapping[str, str]], Mapping[str, Any]]

    def meet(self, topics: MetTopics) -> Mapping[str, Any]:
        """See `core.model.Horizon.met`."""
        of_tables = {one.stream["topic"] for one in self.tables.values()}
        if found := [one for one in topics.compacted if one in of_tables]:
            for note in self.compacted:
                note(found)
        return self.same_topics(topics.ids)

    def batches(self) -> Iterator[Batch]:
        """Yield all batches; the last one is final unless a budget was used up before the target."""
        final, saved = False, True
        for batch in self._batches():
            final, saved = batch.final, batch.after is not None
            yield batch
        reached = not self.drain.budget.over and not self.progress.left()
        if not saved or (reached and not final):
            yield self.drain.mark(final=reached)

    def _batches(self) -> Iterator[Batch]:
        yield from self._begin()
        drained = not behind(self.log, self.progress.position, self.target)
        while not self.drain.budget.over and (self.progress.left() or not drained):
            if self.progress.left():
                yield from self.legs.leg()
                drained = not behind(self.log, self.progress.position, self.target)
            else:
                yield from self.drain.to(self.target, last=True)
                drained = True

    def _begin(self) -> Iterator[Batch]:
        """Begin the log on a first run, or let new tables join it; that is saved before anything is sent."""
        if self.progress.position is None:
            self.progress.position = self.log.begin([one.entry for one in self.tables.values()])
            self._leave_out_rows()
        elif self.joining:
            self.log.join([self.tables[name].entry for name in self.joining])
        else:
            return
        self.progress.facts.update(self.log.facts())
        yield self.drain.mark()

    def _leave_out_rows(self) -> None:
        for name in self.left_out:
            one = self.progress.tables[name]
            one.columns = self.lookup.columns_now(self.tables[name])
            one.state = READ
