"""Schema evolution: columns of a table that changed, and values by that of which the log holds nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import LogForm
from airflow_legacy_events.core.ports import ChangeLog, LogColumn
from airflow_legacy_events.sources.changelog.anew import Gaps
from airflow_legacy_events.sources.changelog.leg_state import KnownColumn, TableProgress
from airflow_legacy_events.sources.changelog.retyping import rewritten
from airflow_legacy_events.sources.changelog.shapes import PLACE
from airflow_legacy_events.sources.changelog.tables import LoggedTable, Tables

_SIZES = re.compile(r"\(.*\)", re.DOTALL)


class Pair(NamedTuple):
    """A column before and after a change; None where it was not there."""

    before: KnownColumn | None
    after: KnownColumn | None


class Evolution:
    """Compares the columns of a table with those that it had before.

    Args:
        tables: looks up the catalog.
        log: describes the columns of a table now.
        gaps: judges values that the log does not hold.
        policy: `evolve` or `fail`.
        logger: of the task.
    """

    def __init__(self, tables: Tables, log: ChangeLog, gaps: Gaps, policy: str, logger: logging.Logger) -> None:
        self._tables, self._log, self._gaps, self._policy, self._logger = tables, log, gaps, policy, logger

    def met(self, form: LogForm, table: LoggedTable, progress: TableProgress, hidden: Sequence[Any]) -> None:
        """Judge the columns of a form at its first row.

        Raises:
            WatermarkError: the policy is `fail`, and they changed.
            CompletenessError: the run must be complete, and values changed without a trace in the log.
        """
        numbers = form.numbers or (None,) * len(form.columns)
        types = form.types or tuple(one.type for one in form.columns)
        columns = zip(form.columns, types, numbers, strict=True)
        found = [KnownColumn(one.name, type_, at) for one, type_, at in columns]
        before, progress.columns = progress.columns, tuple(found)
        if before is None or progress.passing:
            return
        changed = [one for one in _paired(before, found) if _differs(one)]
        if not changed:
            return
        said = "; ".join(map(_said, changed))
        if self._policy == "fail":
            raise WatermarkError(
                f"the columns of {table.what} changed at {hidden[PLACE]} of the log: {said}. Nothing behind it was"
                " sent. Take the new columns with on_schema_change='evolve'"
            )
        self._logger.info("the columns of %s changed at %s of the log: %s", table.what, hidden[PLACE], said)
        self._note(table, progress, changed, hidden)

    def look(self, table: LoggedTable, progress: TableProgress, hidden: Sequence[Any]) -> None:
        """Judge the catalog's columns when a run begins: the log shows new ones only with the next change of a row.

        Raises:
            CompletenessError: as `met`.
        """
        for name in _taken_back(table, progress):
            self._gaps.met(table, progress, hidden, f"column {name!r} was left out of what was sent before")
        if progress.columns is None or progress.passing or progress.silent:
            return
        known = {(one.name, type_) for one in progress.columns for type_ in (one.type, _SIZES.sub("", one.type))}
        if known.issuperset((one.name, one.type) for one in table.entry.reflection.columns):
            return
        found = _paired(progress.columns, self._tables.columns_now(table))
        self._note(table, progress, [one for one in found if one.after is not None], hidden)

    def _note(
        self, table: LoggedTable, progress: TableProgress, changed: Sequence[Pair], hidden: Sequence[Any]
    ) -> None:
        left_out = {*table.hidden, *table.excluded}
        changed = [one for one in changed if one.after is not None and one.after.name not in left_out]
        new = [one.after for one in changed if one.before is None and one.after is not None]
        now = self._log.columns(table.entry.name) if new else {}
        for column in new:
            if _now(column, now).filled:
                why = f"column {column.name!r} came with values in rows that were there"
                self._gaps.met(table, progress, hidden, why)
        for before, after in changed:
            if before is not None and after is not None and rewritten(before.type, after.type):
                why = f"column {after.name!r} was changed from {before.type} to {after.type}"
                self._gaps.met(table, progress, hidden, why)


def _taken_back(table: LoggedTable, progress: TableProgress) -> list[str]:
    """Return the columns that were left out before and no longer are, and forget them."""
    still = {number for found in table.numbers.values() for number in found}
    before = [
        name for name, found in progress.excluded.items() if name not in table.excluded and still.isdisjoint(found)
    ]
    for name in before:
        del progress.excluded[name]
    return [name for name in before if name in {one.name for one in table.entry.reflection.columns}]


def _paired(before: Sequence[KnownColumn], after: Sequence[KnownColumn]) -> list[Pair]:
    """Return columns that are the same one: by their numbers where both are known, else by their names."""
    left = list(before)
    pairs = []
    for one in after:
        match = next((old for old in left if _same(old, one)), None)
        if match is not None:
            left.remove(match)
        pairs.append(Pair(match, one))
    return [*pairs, *(Pair(old, None) for old in left)]


def _same(old: KnownColumn, new: KnownColumn) -> bool:
    if old.number is not None and new.number is not None:
        return old.number == new.number
    return old.name == new.name


def _differs(pair: Pair) -> bool:
    before, after = pair
    return before is None or after is None or (before.name, before.type) != (after.name, after.type)


def _said(pair: Pair) -> str:
    before, after = pair
    if before is None:
        return f"{after.name!r} ({after.type}) is new" if after is not None else ""
    if after is None:
        return f"{before.name!r} ({before.type}) is gone"
    return f"{before.name!r} ({before.type}) is now {after.name!r} ({after.type})"


def _now(column: KnownColumn, now: Mapping[str, LogColumn]) -> LogColumn:
    """Return a column as the catalog has it now; one that is gone by now holds no values."""
    by_number = [one for one in now.values() if column.number is not None and one.number == column.number]
    return by_number[0] if by_number else now.get(column.name, LogColumn())
