"""Stream lock as a row in a table of the source, for databases without locks that outlive a transaction."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases import watchdog
from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.generic.lock_table import TABLE, grant, has_table, locks, make_table, missing
from airflow_legacy_events.databases.generic.session import Session
from airflow_legacy_events.databases.generic.writing import Unlocked, answer_of, written
from airflow_legacy_events.databases.locks import (
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    describe,
    is_earlier_try,
    key_of,
    read_holder,
)
from airflow_legacy_events.databases.watchdog import WATCHDOG
from airflow_legacy_events.databases.writing import in_order

T = TypeVar("T")

_LONGEST_PART = 800
_LONGEST_CUT = 59
_NOW: Any = sa.literal_column("CURRENT_TIMESTAMP")


class RowLock:
    """Row lease: holds the row of a stream, and renews it every 5 s on a separate session.

    Each step is one compare-and-set statement: it changes the row only if the row is still as it was read, so only one
    of two runs gets it. A row whose lease was not renewed for 15 s is taken over. Its former holder then stops at its
    next `check`.

    Args:
        connect: opens a session that may write, immediately; `held` closes it.
        name: of the stream.
        holder: see `core.ports.Database.lock`.
        log: of the task.
        heartbeat: seconds between renewals.
        patience: seconds after which a statement of the lock is cancelled.
        table: see `core.ports.Database.lock`.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        name: str,
        holder: Mapping[str, Any],
        log: logging.Logger,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        patience: float = LEASE_SECONDS,
        table: str | None = None,
    ) -> None:
        self._patience = patience
        self._name, self._log, self._heartbeat = name, log, heartbeat
        self._holder = {part: _short(value) for part, value in holder.items()}
        self._token = str(uuid.uuid4())
        self._hash = names.digest(key_of(name, table))
        self._mine = locks.c.stream_hash == self._hash
        self._turn = threading.Lock()
        self._released = threading.Event()
        self._session = connect()

    @contextmanager
    def held(self) -> Iterator[RowLock | Unlocked]:
        """Take the lock and renew its lease until the context ends.

        If the table doesn't exist and the user may not create it, there is no lock; a warning is logged.

        Raises:
            BusyError: another run holds it.
            SourceError: the session failed, or the table exists but is not writable.
        """
        try:
            lease = self._acquired()
            beat = threading.Thread(target=self._beat, name="legacy-events-lease", daemon=True)
            if lease is self:
                beat.start()
            try:
                yield lease
            finally:
                self._released.set()
                if lease is self:
                    beat.join()
                    self._release()
        finally:
            self._session.close()

    def _acquired(self) -> RowLock | Unlocked:
        try:
            if why := self._refused_table():
                return self._without(why)
            self._take()
        except sa.exc.SQLAlchemyError as error:
            raise SourceError(
                f"the lock of stream {self._name!r} could not be taken: {one_line(error)}. Nothing was read. It is a"
                f" row of the table {TABLE}. {grant(self._session.user)}"
            ) from None
        return self

    def check(self) -> None:
        """See `core.ports.Lease.check`; the row is renewed only while it contains our token."""
        try:
            still = self._change(sa.update(locks).where(self._ours).values(beats=locks.c.beats + 1, leased_at=_NOW))
        except sa.exc.SQLAlchemyError as error:
            raise self._lost(f"its session failed: {one_line(error)}", missing(error, self._session.user)) from None
        if not still:
            raise self._lost(f"its row in {TABLE} belongs to another run or was removed")

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; the lock's row is renewed in the same transaction."""

        def transaction(session: sa.Connection) -> list[Answer]:
            answers = in_order(statements, lambda one: answer_of(session.execute(one)))
            renewed = sa.update(locks).where(self._ours).values(beats=locks.c.beats + 1, leased_at=_NOW)
            if not session.execute(renewed).rowcount:
                raise self._lost(f"its row in {TABLE} belongs to another run or was removed")
            return answers

        with self._turn:
            return written(self._name, lambda: self._in_transaction(transaction))

    @property
    def _ours(self) -> Any:
        return sa.and_(self._mine, locks.c.token == self._token)

    def _lost(self, why: str, remedy: str = "") -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} is lost, {why}. The watermark was not moved; another run may have taken"
            f" over. A retry continues{remedy}"
        )

    def _without(self, why: str) -> Unlocked:
        self._log.warning(
            "stream %s has no lock: the table %s does not exist and could not be created (%s), so nothing keeps a"
            " second run from sending the same rows. Create it (see Connections in the documentation) or keep the runs"
            " apart",
            self._name,
            TABLE,
            why,
        )
        return Unlocked(self._in_transaction, self._name)

    def _refused_table(self) -> str:
        """Find or create the table; return why that is impossible, or an empty text."""
        why = ""
        for _ in range(2):  # another run may create it first
            try:
                return self._in_transaction(make_table)
            except (sa.exc.DBAPIError, self._session.driver_error) as error:
                why = one_line(error)
        return "" if self._in_transaction(has_table) else why

    def _take(self) -> None:
        for _ in range(3):  # a row may appear or vanish between two statements
            if (found := self._row()) is None:
                if self._change(self._inserted()):
                    return
                continue
            token, beats, holder, age = found
            earlier = holder is not None and is_earlier_try(holder, self._holder)
            if not earlier and (0 <= age < LEASE_SECONDS or self._moves(token, beats)):
                if holder is None:
                    raise self._strange()
                who = describe(holder)
                raise BusyError(f"stream {self._name!r} is being worked on by {who}", holder=who, healthy=True)
            if self._change(self._taken_over(token)):
                self._log.warning(
                    "took the lock over from %s, %s",
                    describe(holder),
                    "an earlier try of this task" if earlier else "whose last heartbeat is too old",
                )
                return
        raise BusyError(f"several runs are trying to lock stream {self._name!r}", holder="another run", healthy=None)

    def _strange(self) -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} is held by a row of {TABLE} that names no run. Nothing was read. Remove"
            f" the row whose stream_hash is {self._hash!r} if no run holds it; otherwise it is taken over"
            f" {LEASE_SECONDS:.0f} s after it was last renewed"
        )

    def _moves(self, token: str, beats: int) -> bool:
        """Return whether a seemingly dead holder still renews its lease: a server's local clock may jump."""
        self._released.wait(self._heartbeat * 1.5)
        found = self._row()
        return found is not None and (found[0], found[1]) != (token, beats)

    def _row(self) -> tuple[str, int, dict[str, Any] | None, float] | None:
        """Return token, renewals, holder and the age of the lease in seconds; None if there is no row.

        A holder that can't be parsed is None. An invalid time counts as an expired lease, so that a corrupted row is
        taken over unless it is renewed.
        """
        leased = (locks.c.leased_at, sa.cast(_NOW, sa.DateTime))
        try:
            row = self._found(*leased)
        except (ValueError, TypeError):  # the driver parses the time
            row = self._found()
        if row is None:
            return None
        leased_at, now = row[3:] or (None, None)
        age = LEASE_SECONDS
        if isinstance(now, dt.datetime) and isinstance(leased_at, dt.datetime):
            age = (now - leased_at).total_seconds()
        return row[0], row[1], read_holder(row[2]), age

    def _found(self, *more: Any) -> Any:
        query = sa.select(locks.c.token, locks.c.beats, locks.c.holder, *more).where(self._mine)
        return self._in_transaction(lambda session: session.execute(query).first())

    def _inserted(self) -> Any:
        return sa.insert(locks).values(stream_hash=self._hash, **self._lease())

    def _taken_over(self, token: str) -> Any:
        return sa.update(locks).where(self._mine, locks.c.token == token).values(**self._lease())

    def _lease(self) -> dict[str, Any]:
        return {"token": self._token, "beats": 0, "leased_at": _NOW, "holder": json.dumps(self._holder)}

    def _change(self, statement: Any) -> bool:
        """Run a statement that changes one row; return False if it changed none or another run was faster."""
        with self._turn:
            try:
                return self._in_transaction(lambda session: bool(session.execute(statement).rowcount))
            except sa.exc.DBAPIError as error:
                if not _is_there(error):
                    raise
                return False

    def _in_transaction(self, work: Callable[[sa.Connection], T]) -> T:
        """Return the result of `work` in one transaction.

        It may wait for a row that an abandoned session has locked.
        """

        def transaction(session: sa.Connection) -> T:
            with session.begin():
                return work(session)

        with (
            WATCHDOG.watching(self._patience + watchdog.GRACE_SECONDS, self._session.cut),
            WATCHDOG.watching(self._patience, self._session.interrupt),
        ):
            return self._session.call(transaction)

    def _beat(self) -> None:
        while not self._released.wait(self._heartbeat):
            try:
                self.check()
            except SourceError as error:
                self._log.warning("the lease could not be renewed: %s", error)
                return

    def _release(self) -> None:
        try:
            self._change(sa.delete(locks).where(self._ours))
        except sa.exc.SQLAlchemyError as error:
            why = one_line(error) + missing(error, self._session.user)
            self._log.warning("the row of stream %s in %s was not removed: %s", self._name, TABLE, why)


def _is_there(error: sa.exc.DBAPIError) -> bool:
    """Whether an INSERT failed because another run had inserted the row; not every driver has a class for that."""
    return isinstance(error, sa.exc.IntegrityError) or str(getattr(error.orig, "sqlstate", "")).startswith("23")


def _short(value: Any) -> Any:
    """Return a name, cut if it is long as JSON, so that all names together fit the column."""
    if not isinstance(value, str) or len(json.dumps(value)) <= _LONGEST_PART:
        return value
    return names.cut(value, _LONGEST_CUT)
