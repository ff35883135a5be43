"""Schema renewal: columns that change during a run are looked up again, and the run continues with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from airflow_legacy_events.core.errors import SchemaChangedError, SourceError
from airflow_legacy_events.core.model import Batch
from airflow_legacy_events.sources.place import Found, Start, Values
from airflow_legacy_events.sources.proof import whole
from airflow_legacy_events.sources.rows import Rows

TIMES = 3
"""Maximum of changes in one run: whatever changes the columns more often is unlikely to stop."""


@dataclass
class Renewal:
    """The columns of one run, as last looked up.

    Attributes:
        look: returns all rows of the source with its current columns, and their facts.
        judge: accepts a change or raises; its arguments are the facts of the previous and of the current columns.
        facts: of the columns in use.
        changed: facts that differ from those at the start; the watermark keeps them.
    """

    look: Callable[[], tuple[Rows, dict[str, Any]]]
    judge: Callable[[Mapping[str, Any], Mapping[str, Any]], None]
    facts: Mapping[str, Any]
    changed: dict[str, Any] = field(default_factory=dict)
    _rows: Rows | None = field(default=None, init=False)
    _times: int = field(default=0, init=False)

    def of(self, rows: Rows) -> Rows:
        """Return `rows` with the columns as last looked up."""
        return rows if self._rows is None else rows.derived(self._rows)

    def after(self, error: SourceError, rows: Rows) -> Rows:
        """Return `rows` with their current columns, after reading a page of them failed.

        Raises:
            SourceError: `error`, if the columns have not changed; or they changed too often.
            LegacyEventsError: the user does not allow the change, or reading can't continue after it.
        """
        if self._rows is not None and self._rows.selection.shape.columns is not rows.selection.shape.columns:
            return self.of(rows)  # another reader of this run has already found the change
        if self._times == TIMES:
            raise SourceError(
                f"the columns of {rows.what} changed {TIMES} times while one run of stream {rows.stream!r} read them;"
                " what was delivered is saved. Wait until whatever changes them has ended, then run again; last:"
                f" {error}"
            ) from None
        try:
            found, facts = self.look()
        except SourceError:
            raise error from None
        if facts["shape"] == self.facts["shape"] and not isinstance(error, SchemaChangedError):
            raise error from None
        self._times += 1
        self._take(found, facts)
        return self.of(rows)

    def again(self, rows: Rows) -> Rows:
        """Return `rows` with their current columns; errors as in `after`."""
        self._take(*self.look())
        return self.of(rows)

    def recorded(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield the batches; after a change their watermarks hold its facts."""
        for batch in batches:
            if self.changed:
                batch.after = batch.watermark._replace(facts={**self.changed, **batch.watermark.facts})
            yield batch

    def _take(self, found: Rows, facts: dict[str, Any]) -> None:
        self.judge(self.facts, facts)
        self.changed |= {name: value for name, value in facts.items() if value != self.facts.get(name)}
        self.facts, self._rows = facts, replace(found, renewal=self)


class Reader:
    """Reads one page after the other; `rows` always has the columns of the last page.

    Args:
        rows: as they were when the run was opened.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows if rows.renewal is None else rows.renewal.of(rows)

    def page(self, after: Start, until: Values | None, limit: int, query: Any = None) -> list[tuple[Any, ...]]:
        """Return the rows of a complete page; see `Rows.page`."""
        made_for = self.rows

        def read(rows: Rows) -> Found:
            return rows.page(after, until, limit, query if rows is made_for else None)

        return self._read(lambda rows: whole(rows, partial(read, rows)))

    def page_below(self, after: Start, high: str, limit: int) -> list[tuple[Any, ...]]:
        """Return the rows of a complete page; see `Rows.page_below`."""
        return self._read(lambda rows: whole(rows, partial(rows.page_below, after, high, limit)))

    def between(self, first: Values, last: Values, limit: int) -> list[tuple[Any, ...]]:
        """Return the first rows from one position to another, at most `limit`; fewer if they are wide."""
        return self._read(lambda rows: rows.page(Start(first, included=True), last, limit).rows)

    def of_keys(self, keys: Sequence[tuple[Any, ...]], limit: int) -> list[tuple[Any, ...]]:
        """See `Rows.of_keys`."""
        return self._read(lambda rows: rows.of_keys(keys, limit))

    def _read(self, read: Callable[[Rows], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        while True:
            try:
                return read(self.rows)
            except SourceError as error:
                if self.rows.renewal is None:
                    raise
                self.rows = self.rows.renewal.after(error, self.rows)
