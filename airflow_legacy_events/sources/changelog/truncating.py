"""Truncated tables: an error, an event without a key, or a warning."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import Batch, LogTruncate
from airflow_legacy_events.sources.changelog.anew import Gaps
from airflow_legacy_events.sources.changelog.checks import reading_anew
from airflow_legacy_events.sources.changelog.leg_state import Gap, TableProgress
from airflow_legacy_events.sources.changelog.shapes import PLACE, truncated
from airflow_legacy_events.sources.changelog.tables import LoggedTable

FAIL, EVENT, SKIP = "fail", "event", "skip"


class Truncations:
    """Turns truncations into events by the policy `on_truncate`.

    Args:
        policy: `fail`, `event` or `skip`.
        gaps: judges what is skipped.
        log: of the task.
        marked: whether messages have no event for a truncation, but mark where the snapshot of a table begins.
    """

    def __init__(self, policy: str, gaps: Gaps, log: logging.Logger, *, marked: bool = False) -> None:
        self._policy, self._gaps, self._log, self._marked = policy, gaps, log, marked
        self._compacted: frozenset[str] = frozenset()

    def compacted(self, topics: Sequence[str]) -> None:
        """Take note of topics that are compacted, which hold no message without a key."""
        self._compacted = frozenset(topics)

    def event(self, part: LogTruncate, table: LoggedTable, progress: TableProgress) -> Batch | None:
        """Return the event of a truncation, None if there is none.

        Where only partitions were truncated, the event is followed by the rows that are left: the table is read again.

        Raises:
            SourceError: the policy is `fail`, and the table is not read again.
            CompletenessError: the run must be complete, and the policy is `skip`.
        """
        if progress.silent:
            return None
        place, why = str(part.hidden[PLACE]), "partitions of it were truncated" if part.partial else "it was truncated"
        if self._policy == SKIP:
            self._gaps.met(table, progress, part.hidden, why, removed=True)
            return None
        if progress.passing:
            if self._policy == FAIL:
                self._gaps.passed(table, place, why)
        elif self._policy == FAIL:
            raise _refused(table, place, why)
        elif part.partial:
            progress.begin_anew(progress.requested)
        return self._batch(table, part.hidden)

    def clears(self, table: LoggedTable, gap: Gap) -> Batch | None:
        """Return the event that precedes the first row of a table read again, None under `skip`."""
        return None if self._policy == SKIP else self._batch(table, (gap.place, gap.number, None, None))

    def _batch(self, table: LoggedTable, hidden: tuple[object, ...]) -> Batch | None:
        if self._marked:
            self._log.warning(
                "rows that %s no longer has may stay with consumers: no message deletes them, only the mark where its"
                " snapshot begins says that all its rows follow",
                table.what,
            )
            return None
        if (topic := table.stream["topic"]) not in self._compacted:
            return Batch(truncated(table), [hidden], 1, None, "t")
        self._log.warning(
            "rows that %s no longer has may stay in topic %r, which is compacted and takes no message without a key."
            "\nTo be rid of them, delete the topic and make it again, then run with the configuration %s",
            table.what,
            topic,
            reading_anew(table.name),
        )
        return None


def _refused(table: LoggedTable, place: str, why: str) -> SourceError:
    error = SourceError(
        f"{table.what}: {why}, at {place} of the log, and on_truncate='fail'; nothing behind it was sent.\n"
        f"To pass it and read the table again, run with the configuration {reading_anew(table.name)}\n"
        "To send truncations as events of op t, or to leave them out with a warning, set on_truncate='event' or 'skip'"
    )
    error.retry_helps = False
    return error
