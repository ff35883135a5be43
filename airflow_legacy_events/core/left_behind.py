"""Rows left at their source: those that can't be delivered, and every later row of their group."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.model import Batch, Rejection

MOST_GROUPS = 1_000
"""This many blocked groups end a run at once: something else must be wrong."""

_NAMED = 10


class LeftBehind:
    """Tracks the rows that a run leaves at its source.

    Rows of one group, such as the events of one aggregate, are ordered. If a row can't be delivered, the later rows of
    its group wait with it; the earlier ones don't.
    """

    def __init__(self) -> None:
        self._groups: set[Hashable] = set()
        self._batch: Batch | None = None
        self._since: dict[Hashable, int] = {}
        self._refused: list[str] = []
        self._rejections: list[Rejection] = []
        self._rows = 0

    def places(self, batch: Batch, refused: Iterable[Rejection]) -> frozenset[int]:
        """Return the places in a batch that must be left: refused rows, and later rows of the same group.

        Args:
            batch: in order; later calls pass later batches, or the same one with more rows refused.
            refused: rows of it that can't be delivered, by their place.
        """
        by_place = {one.index: one for one in refused}
        if not by_place and not self._groups:
            return frozenset()
        if batch is not self._batch:
            self._batch, self._since = batch, dict.fromkeys(self._groups, 0)
        left = set()
        for at in range(batch.count):
            group = tuple(batch.rows[at][part] for part in batch.shape.group)
            if at in by_place and at < self._since.get(group, batch.count):
                self._since[group] = at
                self._note(batch, by_place[at], group)
            if at >= self._since.get(group, batch.count):
                left.add(at)
        return frozenset(left)

    def count(self, rows: int) -> None:
        """Count rows of a batch that this run leaves."""
        self._rows += rows

    @property
    def full(self) -> bool:
        """Whether so many groups are blocked that the run should end."""
        return len(self._groups) >= MOST_GROUPS

    def check(self) -> None:
        """Check that no row was left.

        Raises:
            DeliveryError: names the first ten rows that could not be delivered.
        """
        if not self._groups:
            return
        more = "" if len(self._groups) <= _NAMED else f" and {len(self._groups) - _NAMED} more"
        raise DeliveryError(
            f"{self._rows} rows were left at the source, since {len(self._groups)} of them can't be delivered and the"
            f" others follow one of the same aggregate: {'; '.join(self._refused)}{more}. Everything else is"
            " delivered. Fix the rows or whatever rejects them, and the next run sends them; or name a"
            " dead_letter_topic=",
            rejected=self._rejections,
        )

    def _note(self, batch: Batch, one: Rejection, group: Hashable) -> None:
        if group in self._groups:
            return
        self._groups.add(group)
        if len(self._refused) < _NAMED:
            self._refused.append(f"{batch.name_of(one.index)} ({one.error}: {one.reason})")
            self._rejections.append(one)
