"""Tables that are read again, and gaps that this makes up for: changes that were passed without an event."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import CompletenessError, SourceError
from airflow_legacy_events.sources.changelog.checks import reading_anew
from airflow_legacy_events.sources.changelog.leg_state import Gap, TableProgress
from airflow_legacy_events.sources.changelog.shapes import NUMBER, PLACE
from airflow_legacy_events.sources.changelog.tables import LoggedTable

EXAMPLE = reading_anew("schema.table")
"""Configuration of a run that reads a table again, for messages."""


def request(tables: Mapping[str, TableProgress], names: Sequence[str], run: str | None) -> None:
    """Have tables read again.

    Args:
        tables: progress of all tables of the stream.
        names: those to read again.
        run: that requested it; a retry of the same run continues where the first try ended. None: from the start.
    """
    for name in names:
        one = tables[name]
        if run is not None and one.requested == run:
            continue
        if one.silent:
            one.requested = run
        else:
            one.begin_anew(run)


def clearing(progress: TableProgress) -> Gap | None:
    """Return the last gap by which rows may have gone, if the snapshot in hand makes up for it."""
    healed = [one for one in progress.gaps if one.removed and one.generation < progress.generation]
    return healed[-1] if healed else None


class Gaps:
    """Judges what the log can't tell of a table: it is passed, noted, or ends the run.

    Args:
        stream: name of the stream, for messages.
        exact: whether a run that would not be complete fails.
        log: of the task.
    """

    def __init__(self, stream: str, *, exact: bool, log: logging.Logger) -> None:
        self._stream, self._exact, self._log = stream, exact, log
        self._warned: set[str] = set()

    def met(
        self,
        table: LoggedTable,
        progress: TableProgress,
        hidden: Sequence[Any],
        why: str,
        *,
        lost: bool = False,
        removed: bool = False,
    ) -> None:
        """Judge one gap.

        Args:
            table: with the gap.
            progress: of that table.
            hidden: values by `HIDDEN`, of the place where it was met.
            why: what happened, as a clause.
            lost: whether the log holds a change that can't be delivered.
            removed: whether rows may have gone.

        Raises:
            SourceError: the change can't be delivered.
            CompletenessError: the run must be complete.
        """
        if progress.silent:
            return
        place, number = str(hidden[PLACE]), int(hidden[NUMBER])
        if progress.passing:
            self.passed(table, place, why)
            if removed:
                progress.gaps.append(Gap(why, place, number, removed, progress.generation - 1))
            return
        if any(one.why == why and one.generation == progress.generation for one in progress.gaps):
            return
        self._refuse(table, place, why, lost=lost)
        self._log.warning("%s", _said(table, place, why))
        progress.gaps.append(Gap(why, place, number, removed, progress.generation))

    def passed(self, table: LoggedTable, place: str, why: str) -> None:
        """Warn once of what is passed because the table is read again."""
        if table.name not in self._warned:
            self._warned.add(table.name)
            self._log.warning("%s: %s, at %s of the log; passed, since it is read again", table.what, why, place)

    def _refuse(self, table: LoggedTable, place: str, why: str, *, lost: bool) -> None:
        if lost:
            raise SourceError(
                f"{table.what}: {why}, at {place} of the log, and it can't be sent; nothing behind it was sent."
                f"\nTo pass it and read the table again, run with the configuration {reading_anew(table.name)}"
            )
        if self._exact:
            raise CompletenessError(
                f"completeness='exact' is required, and {_said(table, place, why)}\nNothing behind it was sent"
            )


def open_gaps(tables: Mapping[str, TableProgress]) -> str | None:
    """Return the gaps of all tables in words, with the remedy; None if there is none."""
    found = {name: one.open_gaps for name, one in tables.items() if one.open_gaps}
    if not found:
        return None
    listed = "; ".join(
        f"table {name!r}: {gaps[-1].why}, at {gaps[-1].place} of the log" for name, gaps in found.items()
    )
    return f"{listed}.\nTo fix it, run with the configuration {reading_anew(*found)}"


def _said(table: LoggedTable, place: str, why: str) -> str:
    return (
        f"{table.what}: {why}, at {place} of the log, which holds no change for it.\nUntil the table is read again, its"
        f" topic may differ from it: run with the configuration {reading_anew(table.name)}"
    )
