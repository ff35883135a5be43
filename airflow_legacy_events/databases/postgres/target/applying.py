"""Rows of a batch applied to a table of PostgreSQL: a statement for each group of rows, and every count checked."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.ports.target import Counts, ObjectionError, RowState, TableStates, WholeRows
from airflow_legacy_events.databases.postgres.target import looking, moving, spellings, staging, statements
from airflow_legacy_events.databases.postgres.target.changing import Changing
from airflow_legacy_events.databases.postgres.target.grouping import (
    Group,
    Row,
    grouped,
    incomplete,
    needs_two_steps,
)
from airflow_legacy_events.databases.postgres.target.packing import named_positions
from airflow_legacy_events.databases.postgres.target.staging import FEW, Source, stage
from airflow_legacy_events.databases.postgres.target.statements import Positions


class Applying(Changing):
    """Applies the rows of a batch to one table."""

    def apply(self, states: TableStates) -> Counts:
        """See `core.ports.target.Unit.apply`."""
        if not self.shape.key:
            return self._append(states.rows)
        spellings.refuse(self.session, self.shape, states.rows)
        found = grouped(states)
        counts = Counts(0, self._empty([row for one in found.written for row in one.rows]) if states.truncated else 0)
        if found.moved:
            kept_out = moving.move(self, found.moved)
            counts = counts.plus(Counts(0, sum(one.deleted for one in found.moved), 0))
            counts = counts.plus(self._without(found.written, kept_out))
        if found.deleted:
            counts = counts.plus(self.delete(found.deleted))
        for one in found.written:
            counts = counts.plus(self._write(one))
        return counts

    def _write(self, group: Group) -> Counts:
        """Write rows: those that are missing by COPY where most are, the others by statements over all of them."""
        rows, counts, looks = group.rows, Counts(), self.facts.looks
        if len(rows) > FEW and not group.known and self._copies(group):
            if looks.expects_none and not needs_two_steps(self.shape, group):
                if (copied := self._copied_unseen(group)) is not None:
                    return copied
                looks.was_wrong()
            if looks.is_due():
                there = looking.places_there(self.session, self.shape, rows)
                if looks.saw(len(there), len(rows)):
                    places = frozenset(there)
                    counts = self._copy(group.given, [row for at, row in enumerate(rows) if at not in places])
                    rows = [rows[at] for at in there]
        return counts.plus(self._merge(group, rows)) if rows else counts

    def _copied_unseen(self, group: Group) -> Counts | None:
        """Copy rows that are expected to be missing; None, and nothing done, if a unique index has one of them."""
        try:
            with self.session.transaction():
                return self._copy(group.given, group.rows)
        except psycopg.errors.UniqueViolation:
            return None

    def _merge(self, group: Group, rows: Sequence[Row]) -> Counts:
        source = stage(self.session, self.shape, group.given, rows)
        self._refuse_rounding(group.given, source)
        if needs_two_steps(self.shape, group):
            written = self._update_then_insert(group, source)
        else:
            written = self.run(statements.upsert(self.shape, group.given, source.text, whole=group.whole), source)
            if set(group.given) == set(self.shape.key) and self.shape.deleted is None and not group.whole:
                written = self.ask(statements.count(self.shape, source.text), source)
        newer = 0
        if written < source.size:
            newer = self.ask(statements.count_newer(self.shape, group.given, source.text), source)
            newer = min(newer, source.size - written)
        if written + newer != source.size:
            self.differ(f"{source.size} were sent, and {written} written")
        return Counts(written, 0, newer)

    def _copies(self, group: Group) -> bool:
        """Return whether COPY writes a missing row as an INSERT does, and refuses what it refuses."""
        return self.shape.deleted is None and not any(self.facts.fields[at].lossy for at in group.given)

    def _copy(self, given: Positions, rows: Sequence[Row]) -> Counts:
        if not rows:
            return Counts()
        columns = [self.facts.fields[at].name for at in given]
        pieces = staging.pieces_of(rows, given, len(self.shape.columns))
        written = staging.copy(self.session, self.facts.name, columns, pieces)
        if written != len(rows):
            self.differ(f"{len(rows)} were sent, and {written} written")
        return Counts(written)

    def _update_then_insert(self, group: Group, source: Source) -> int:
        update = statements.update(self.shape, group.given, source.text, whole=group.whole)
        there = self.ask(statements.count(self.shape, source.text), source) if update is None else 0
        written = there if update is None else self.run(update, source)
        if group.known and written < source.size:
            there = self.ask(statements.count(self.shape, source.text), source)
            if there < source.size:
                raise incomplete(group.known)
        if written < source.size:
            written += self.run(statements.insert_missing(self.shape, group.given, source.text), source)
        return written

    def _append(self, rows: Sequence[RowState]) -> Counts:
        every = named_positions(self.shape.columns, None)
        if isinstance(rows, WholeRows):
            return self._append_alike(every, rows.rows) if rows else Counts()
        groups: dict[Positions, list[Row]] = {}
        for row in (one.row for one in rows):
            given = every if ABSENT not in row else tuple(at for at in every if row[at] is not ABSENT)
            groups.setdefault(given, []).append(row)
        counts = Counts()
        for given, some in groups.items():
            counts = counts.plus(self._append_alike(given, some))
        return counts

    def _append_alike(self, given: Positions, rows: Sequence[Row]) -> Counts:
        lossy = any(self.facts.fields[at].lossy for at in given)
        if not given:
            return self._append_defaults(len(rows))
        if not self.shape.repeats and len(rows) > FEW and not lossy:
            return self._copy(given, rows)
        source = stage(self.session, self.shape, given, rows)
        self._refuse_rounding(given, source)
        insert = statements.insert_new if self.shape.repeats else statements.insert
        written, repeats = self.run(insert(self.shape, given, source.text), source), 0
        if self.shape.repeats and written < len(rows):
            there = self.ask(statements.count_repeats(self.shape, source.text), source)
            repeats = there - written
        if written + repeats != len(rows):
            self.differ(f"{len(rows)} were sent, and {written} written")
        return Counts(written, 0, repeats)

    def _append_defaults(self, rows: int) -> Counts:
        """Append rows that name no column."""
        written = sum(self.run(f"INSERT INTO {self.facts.name} DEFAULT VALUES") for _ in range(rows))
        if written != rows:
            self.differ(f"{rows} were sent, and {written} written")
        return Counts(written)

    def _empty(self, rows: Sequence[Row]) -> int:
        source = stage(self.session, self.shape, self.shape.key, rows) if rows else None
        return self.run(statements.delete_others(self.shape, None if source is None else source.text), source)

    def _refuse_rounding(self, given: Positions, source: Source) -> None:
        statement = statements.rounded(self.shape, given, source.text)
        if statement is None:
            return
        cursor = psycopg.RawCursor(self.session).execute(statement.encode(), source.parameters or None)
        for (at,) in cursor.fetchall():
            column = self.shape.columns[at]
            raise ObjectionError("VALUE", f"column {column.name!r} ({column.type}) can't hold the value exactly")

    def _without(self, groups: Sequence[Group], keys: Sequence[Row]) -> Counts:
        """Take the rows of some keys out of groups."""
        if not keys:
            return Counts()
        left = {tuple(row[at] for at in self.shape.key) for row in keys}
        for one in groups:
            one.rows = [row for row in one.rows if tuple(row[at] for at in self.shape.key) not in left]
        return Counts(0, 0, len(left))
