"""Batches from chunks of a log: the changes to send, table by table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.model import HIDDEN, Batch, LogChunk, LogForm, LogGap, LogMessage, LogRows, LogTruncate
from airflow_legacy_events.core.ports import ChangeLog
from airflow_legacy_events.sources.changelog.anew import Gaps
from airflow_legacy_events.sources.changelog.completing import Completion
from airflow_legacy_events.sources.changelog.evolution import Evolution
from airflow_legacy_events.sources.changelog.filtering import KeyFilter
from airflow_legacy_events.sources.changelog.leg_state import READ, Progress, TableProgress
from airflow_legacy_events.sources.changelog.logical_messages import LogicalMessages
from airflow_legacy_events.sources.changelog.shapes import PLACE, excluded_places, shape_of
from airflow_legacy_events.sources.changelog.tables import LoggedTable
from airflow_legacy_events.sources.changelog.truncating import Truncations
from airflow_legacy_events.sources.changelog.unchanged import Unchanged


class Changes:
    """Turns chunks into batches.

    Args:
        tables: of the stream, by `schema.table`.
        progress: of the stream; policies may note gaps in it.
        log: whose chunks these are.
        before: whether old rows are sent.
        evolution: judges changed columns.
        truncations: turns truncations into events.
        gaps: judges what can't be reported.
        unchanged: looks after what updates left out.
        completion: completes rows whose key changed.
        messages: turns logical messages into events.
    """

    def __init__(  # noqa: PLR0913  the parts of a run
        self,
        tables: Mapping[str, LoggedTable],
        progress: Progress,
        log: ChangeLog,
        *,
        before: bool,
        evolution: Evolution,
        truncations: Truncations,
        gaps: Gaps,
        unchanged: Unchanged,
        completion: Completion,
        messages: LogicalMessages,
    ) -> None:
        self._tables, self._progress, self._before = tables, progress, before
        self._evolution, self._truncations, self._gaps = evolution, truncations, gaps
        self._unchanged, self._completion, self._messages = unchanged, completion, messages
        self._filter = KeyFilter(log)
        self._shapes: dict[LogForm, Shape] = {}

    def of(self, chunk: LogChunk) -> list[Batch]:
        """Return the batches of a chunk, each without a watermark; none where nothing of it is sent.

        Raises:
            SourceError, WatermarkError, CompletenessError: a change can't be sent, or may not be passed.
        """
        found: list[Batch] = []
        for is_message, parts in groupby(chunk.parts, lambda part: isinstance(part, LogMessage)):
            if is_message:
                found += self._messages.batches(part for part in parts if isinstance(part, LogMessage))
            else:
                found += [batch for part in parts if not isinstance(part, LogMessage) for batch in self._of(part)]
        for batch in found:
            batch.notes = chunk.notes
        return found

    def forget(self, name: str) -> None:
        """Forget the shapes of a table whose arguments were looked up again."""
        self._shapes = {form: shape for form, shape in self._shapes.items() if shape.table != name}

    def _of(self, part: LogRows | LogTruncate | LogGap) -> Iterator[Batch]:
        name = str(part.table if isinstance(part, LogGap) else part.form.table)
        table, progress = self._tables.get(name), self._progress.tables.get(name)
        if table is None or progress is None or progress.silent:
            return
        if isinstance(part, LogTruncate):
            if (event := self._truncations.event(part, table, progress)) is not None:
                yield event
        elif isinstance(part, LogGap):
            self._gaps.met(table, progress, part.hidden, part.why, lost=part.lost, removed=part.removed)
        elif (batch := self._rows(part, table, progress)) is not None:
            yield from self._completion.batches(batch, table)

    def _rows(self, part: LogRows, table: LoggedTable, progress: TableProgress) -> Batch | None:
        shape = self._shapes.get(part.form)
        if shape is None and (shape := self._shape(part, table, progress)) is None:
            return None
        rows = self._with_old(part) if self._before else part.rows
        ops = part.ops
        if progress.state != READ and not progress.anew:
            places = self._filter.kept(part, table, progress, shape.key)
            if len(places) < len(rows):
                rows, ops = [rows[at] for at in places], [ops[at] for at in places]
        rows = self._unchanged.of(rows, ops, shape, table)
        return Batch(shape, rows, len(rows), None, ops, passing=progress.passing) if rows else None

    def _shape(self, part: LogRows, table: LoggedTable, progress: TableProgress) -> Shape | None:
        """Return the shape of a form that is new here, None if its rows are passed."""
        form, key = part.form, table.entry.key
        width = len(form.columns)
        hidden = part.rows[0][width : width + len(HIDDEN)]
        if not {*key} <= {*form.identity} & {one.name for one in form.columns}:
            why = f"its rows are known by ({', '.join(form.identity)}) there, not by its key ({', '.join(key)})"
            self._gaps.met(table, progress, hidden, why, lost=True, removed=True)
            return None
        excluded: frozenset[int] = frozenset()
        if table.excluded:
            excluded = excluded_places(form, table, progress.excluded, str(hidden[PLACE]))
        self._evolution.met(form, table, progress, hidden)
        shape = self._shapes[form] = shape_of(form, table, excluded, before=self._before)
        return shape

    def _with_old(self, part: LogRows) -> list[tuple[Any, ...]]:
        absent = (ABSENT,) * len(part.form.columns)
        olds = part.before or [None] * len(part.rows)
        return [row + (absent if old is None else old) for row, old in zip(part.rows, olds, strict=True)]
