"""Reset detection: whether the rows below a watermark are still those that were delivered.

A run looks for rows at or above its watermark; usually finding one is enough. Further checks are made if there is none,
or if the table's identity differs from that at the last run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.clock import is_earlier, refuse_future
from airflow_legacy_events.sources.rows import Rows

EMPTIED, GONE = "emptied", "gone"
_UNSEEN = "the last delivered row is gone, so a table that was set back below its watermark can't be detected by it"
_OVERTAKEN = (
    "the row that was delivered last is gone or another one, so a table that was emptied and filled again beyond its"
    " watermark can't be distinguished from one whose rows change"
)
_REWRITTEN = "the table was rewritten or exchanged since the last run, and still holds rows from before"
_UNKNOWN = "the table was rewritten or exchanged since the last run, and which rows it held then is not known"
_CLEARED = "the table was rewritten or exchanged since the last run, and holds no row from before"
_UNCOMPARED = (
    "other columns are read than in the last run, so its rows can't be compared, and a table that was emptied and"
    " filled again beyond its watermark can't be detected"
)
_EMPTY = "the table is empty and its next ids can't be seen, so ids that start over are detected only by their rows"


class TableResetError(Exception):
    """The table was reset below its watermark; `resets` decides how to continue.

    Attributes:
        why: how it was detected, in words.
        highest: current highest position of the table; None if it is empty.
        grant: the GRANT that would have shown more, in words; None if none is missing.
    """

    def __init__(self, why: str, highest: Values | None, grant: str | None = None) -> None:
        super().__init__(why)
        self.why, self.highest, self.grant = why, highest, grant


class IdsReturnedError(Exception):
    """The database reuses the ids of deleted rows: all rows above `known` are new.

    Attributes:
        known: position of the highest delivered row; `()` if none is known.
        highest: current highest position of the table, if it has rows but none of them is known.
    """

    def __init__(self, known: Values, highest: Values | None = None) -> None:
        super().__init__("ids of deleted rows are reused")
        self.known, self.highest = known, highest


class Verdict(NamedTuple):
    """Verdict of a run about the rows below its watermark.

    Attributes:
        note: for the completeness reason; empty if there is nothing to report.
        fact: name of a fact to record, so that the warning is logged only once.
    """

    note: str = ""
    fact: str | None = None


AS_EXPECTED = Verdict()


@dataclass(frozen=True)
class Standing:
    """Checks the stored watermark of an incremental run against the current rows.

    Attributes:
        rows: to read, in the order of the watermark.
        stored: the watermark, with a value for each position column.
        found: facts of this run.
    """

    rows: Rows
    stored: Watermark
    found: Mapping[str, Any]
    log: logging.Logger

    def judge(self, highest: Values | None, *, above: bool | None) -> Verdict:
        """Check what a run found at or above the watermark.

        Args:
            highest: position at or above the watermark and below the run's bound; None: there is none.
            above: whether rows lie above the run's bound; None: not checked yet.

        Raises:
            TableResetError: the table was reset below its watermark.
            IdsReturnedError: rows at or below the watermark may be new.
            WatermarkError: the watermark is ahead of the database's clock.
        """
        if highest is not None:
            if self.rows.database.returns_ids and not self._in_time:
                self._refuse_returned(self._next_id())
            quiet = highest == self._values and (self._in_time or not self._known)
            return AS_EXPECTED if quiet else self._judge_overtaken()
        if self._in_time:
            refuse_future(self.rows, self._values)
        if above or (above is None and self.rows.highest(self._from_here) is not None):
            return AS_EXPECTED
        return self._judge_time() if self._in_time else self._judge_id()

    def _judge_overtaken(self) -> Verdict:
        """Check rows at or above the watermark: if the table was emptied and refilled, lower rows may be new too."""
        if not self._known:
            return Verdict(_UNCOMPARED) if self.stored.facts.get("last") else AS_EXPECTED
        if self._in_time and (now_at := self._now_at()) is not None:
            self._refuse_earlier(now_at)
            return AS_EXPECTED
        newest = self.rows.newest(self._values, 1)
        return AS_EXPECTED if newest and last_rows.checksum(newest[0]) == self._known[0] else Verdict(_OVERTAKEN)

    def judge_object(self) -> str:
        """Return the note about a table whose identity has changed since the last run; empty if it is the same.

        Raises:
            TableResetError: the last delivered rows are gone or changed.
        """
        before, now = self.stored.facts.get("object"), self.found.get("object")
        if before is None or now is None or before == now:
            return ""
        if self._known and not self.rows.newest(self._values, 1):  # no row below the watermark could have been skipped
            self.log.info(
                "%s was rewritten or exchanged since the last run; it holds no row from before", self.rows.what
            )
            return _CLEARED
        if not self._holds_delivered():
            raise TableResetError(
                "the table was exchanged, emptied or rewritten, and the rows that were delivered last are not in it",
                self._highest(),
            )
        if not self._known:
            return "" if self.stored.facts.get("last") else _UNKNOWN
        self.log.info(
            "%s was rewritten or exchanged since the last run; it still holds rows from before", self.rows.what
        )
        return _REWRITTEN

    def learned(self) -> list[str]:
        """Return checksums of the rows up to the watermark, the last one first, if the watermark lacks them.

        Later runs can then recognize rows again. The watermark lacks checksums after a change of columns, or if a
        person or an earlier release wrote it.
        """
        if self._known:
            return []
        return [last_rows.checksum(row) for row in self.rows.newest(self._values, last_rows.KEPT_ROWS)]

    @property
    def _values(self) -> Values:
        return self.stored.values or ()

    @property
    def _from_here(self) -> Start:
        return Start(self._values, included=True)

    @property
    def _in_time(self) -> bool:
        return self.rows.selection.columns[0].kind in TEMPORAL

    @property
    def _known(self) -> tuple[str, ...]:
        return last_rows.kept(self.stored.facts, self.found)

    def _judge_time(self) -> Verdict:
        now_at = self._now_at()
        if now_at is None:
            return self._once(GONE, _UNSEEN)
        self._refuse_earlier(now_at)
        return AS_EXPECTED

    def _now_at(self) -> Values | None:
        """Return the current position of the last delivered row; None if it is gone."""
        return self.rows.highest(Start(()), self.rows.key_is(self._values))

    def _refuse_earlier(self, now_at: Values) -> None:
        if self.rows.highest(self._from_here, self.rows.key_is(self._values)) is not None:
            return
        if is_earlier(now_at[0], self._values[0]):
            raise TableResetError("the row that was delivered last has a lower time now", self._highest())

    def _judge_id(self) -> Verdict:
        next_id = self._next_id()
        self._refuse_returned(next_id)
        newest = self.rows.newest(None, 1)
        if next_id.value is not None and not next_id.returns:
            if next_id.value > int(self._values[0]):
                self.log.info("the newest rows of %s were deleted", self.rows.what)
                return AS_EXPECTED
            raise TableResetError("its next id is at or below the watermark", self._highest())
        if not newest:
            return self._once(EMPTIED, _EMPTY if next_id.unknown is None else f"{_EMPTY}: {next_id.unknown}")
        if self._newest_known() is not None:
            self.log.info("the newest rows of %s are gone; those before them are there", self.rows.what)
            return AS_EXPECTED
        if next_id.returns or self.rows.table is None or self.found.get("definition") is not None:
            return self._once(GONE, _UNSEEN)
        raise TableResetError("all its rows are below the watermark", self._highest(), next_id.unknown)

    def _refuse_returned(self, next_id: NextId) -> None:
        """Check that no row at or below the watermark is new, if ids of deleted rows are reused."""
        if not next_id.returns:
            return
        newest, known = self.rows.newest(self._values, last_rows.KEPT_ROWS), self._known
        if not newest:
            raise IdsReturnedError(())
        is_there = self.rows.values(newest[0]) == self._values
        if is_there and (not known or last_rows.checksum(newest[0]) == known[0]):
            return
        if (place := self._newest_known(newest)) is not None:
            raise IdsReturnedError(place)
        if known:
            raise IdsReturnedError((), self._highest())

    def _newest_known(self, newest: Sequence[tuple[Any, ...]] | None = None) -> Values | None:
        """Return the position of the highest row at or below the watermark that is unchanged since its delivery."""
        if not (known := set(self._known)):
            return None
        rows = self.rows.newest(self._values, last_rows.KEPT_ROWS) if newest is None else newest
        return next((self.rows.values(row) for row in rows if last_rows.checksum(row) in known), None)

    def _holds_delivered(self) -> bool:
        if not self._known:  # an older watermark, or the columns have changed
            return True
        if self._in_time and (now_at := self._now_at()) is not None:
            self._refuse_earlier(now_at)
            return True
        return self._newest_known() is not None

    def _next_id(self) -> NextId:
        column = self.rows.selection.columns[0]
        if self.rows.table is None or column.kind is not Kind.INTEGER:
            return NextId()
        return self.rows.database.next_id(self.rows.table, column.name)

    def _highest(self) -> Values | None:
        return self.rows.highest(Start(()))

    def _once(self, fact: str, note: str) -> Verdict:
        if not self.stored.facts.get(fact):
            self.log.warning("%s: %s", self.rows.what, note)
        return Verdict(note, fact)
