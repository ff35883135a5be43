"""A stream of the change log, read in chunks up to a target."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

from airflow_legacy_events.core.model.log import LogChunk, LogGap, LogPosition, LogTruncate
from airflow_legacy_events.databases.postgres.changelog import failures, pgoutput
from airflow_legacy_events.databases.postgres.changelog.collecting import Collector
from airflow_legacy_events.databases.postgres.changelog.contents import logged
from airflow_legacy_events.databases.postgres.changelog.numbering import record_end, widened
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.places import number_of, place_of
from airflow_legacy_events.databases.postgres.changelog.relations import Relations
from airflow_legacy_events.databases.postgres.changelog.transaction import Transaction
from airflow_legacy_events.databases.postgres.changelog.walsender import WalSender

_CHANGES = frozenset((pgoutput.INSERT, pgoutput.UPDATE, pgoutput.DELETE))
_TICK_SECONDS = 1.0
_ASK_TICKS = 10
_ASKED_SECONDS, _MOST_ASKED = 5.0, 5


class Stream:
    """The messages of one walsender.

    Args:
        options: of the reader.
        sender: that streams.
        relations: of the reader.
        reply: reports to the server what has arrived and what is saved; with True, asks how far it is.
        position: where the stream begins.

    Attributes:
        sender: that streams.
        position: behind the last transaction or empty stretch that was read.
        received: everything before it has arrived.
    """

    def __init__(
        self,
        options: ReaderOptions,
        sender: WalSender,
        relations: Relations,
        reply: Callable[[bool], None],
        position: LogPosition,
    ) -> None:
        self._options, self.sender, self._relations, self._reply = options, sender, relations, reply
        self.position, self.received = position, number_of(position.place)
        self._pending: deque[bytes] = deque()
        self._transaction: Transaction | None = None
        self._quiet, self._answered, self._done = 0, False, False
        self._asked = (0.0, 0)
        self._strays: set[str] = set()

    def chunks(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """Yield the changes; see `core.ports.ChangeLog.read`.

        Args:
            after: `position`, or a position within the transaction that follows it.
            until: a place behind it.
            rows: maximum of a chunk.
        """
        self._after, self._target = after, record_end(number_of(until))
        self._near, self._done = self._options.transaction(), False
        relations = self._relations.found
        found = self._found = Collector(rows, after.place, before=self._options.before)
        for message in self._messages():
            if message is None:
                if found.rows:
                    yield found.chunk(self._reached)
                continue
            kind = message[pgoutput.PAYLOAD] if message[0] == pgoutput.XLOG_DATA else message[0]
            if kind in _CHANGES and (transaction := self._transaction) is not None:
                gap = transaction.change(kind, relations[pgoutput.oid_of(message)], message, found, self._pending)
                if gap is not None or found.full:
                    yield from self._cut(gap)
                continue
            yield from self._other(kind, message)
            if self._done:
                break
        if number_of(self.position.place) < number_of(until):
            self.position = LogPosition(until)
        yield found.chunk(self.position, final=True)

    def _messages(self) -> Iterator[bytes | None]:
        """Yield the messages as they come; None whenever none came for a while."""
        pending, self._quiet = self._pending, 0
        while True:
            while pending:
                yield pending.popleft()
            pending.extend(self.sender.take(_TICK_SECONDS))
            if self.sender.skipped is not None:
                raise failures.lost(self._options.conn_id, self.sender.skipped)
            if not pending:
                self._wait()
                yield None
            elif pending[0][0] == pgoutput.XLOG_DATA:
                self._quiet = 0

    def _wait(self) -> None:
        """Ask how far the server is, since it says nothing while it passes over what is not ours."""
        if self._quiet * _TICK_SECONDS > self._options.timeout_seconds:
            raise failures.silent(self._options.conn_id, self._options.timeout_seconds, answers=self._answered)
        if self._quiet % _ASK_TICKS == 0:
            self._answered = False
            self._reply(True)
        self._quiet += 1

    @property
    def _reached(self) -> LogPosition:
        return self.position if self._transaction is None else self._transaction.position

    def _cut(self, part: LogGap | LogTruncate | None) -> Iterator[LogChunk]:
        """Yield what was collected; then, in a chunk of its own, a part that came behind it."""
        while self._found.full:
            place, changes = self._reached
            yield self._found.chunk(LogPosition(place, changes - self._found.over))
        if part is None:
            return
        if self._found.rows:
            number = int(part.hidden[1])
            yield self._found.chunk(LogPosition(self._reached.place, number - 1))
        yield self._found.alone(part, self._reached)

    def _other(self, kind: int, message: bytes) -> Iterator[LogChunk]:
        if kind == pgoutput.BEGIN:
            self._begin(message)
        elif kind == pgoutput.COMMIT:
            self._commit(message)
        elif kind == pgoutput.KEEPALIVE:
            yield from self._alive(pgoutput.keepalive(message))
        else:
            yield from self._rarely(kind, message)

    def _rarely(self, kind: int, message: bytes) -> Iterator[LogChunk]:
        if kind == pgoutput.RELATION:
            self._relations.add(pgoutput.relation(message))
        elif kind == pgoutput.TYPE:
            self._relations.name_type(*pgoutput.type_name(message))
        elif kind == pgoutput.TRUNCATE and self._transaction is not None:
            for part in self._transaction.truncated(message, self._relations, self._options):
                yield from self._cut(part)
        elif kind == pgoutput.MESSAGE:
            yield from self._message(pgoutput.logical(message))

    def _begin(self, message: bytes) -> None:
        begin = pgoutput.begin(message)
        if begin.place >= self._target:
            self._pending.appendleft(message)
            self._done = True
            return
        place = place_of(begin.place)
        delivered = self._after.changes if place == self._after.place else 0
        self._transaction = Transaction(
            begin, place, widened(begin.xid, self._near), delivered, self._options.max_row_bytes
        )
        self._found.begin(self._transaction.xid, self._transaction.place)

    def _commit(self, message: bytes) -> None:
        end, self._transaction = pgoutput.committed(message), None
        self._found.commit()
        self._pass(end)

    def _alive(self, keepalive: pgoutput.Keepalive) -> Iterator[LogChunk]:
        """Move on to where the server is; between two transactions everything before it was sent."""
        self._answered = True
        if keepalive.end > self.received:
            self._quiet = 0
        if keepalive.asks:
            self._reply_asked()
        if self._transaction is None and keepalive.end > number_of(self.position.place):
            self._pass(keepalive.end)
            if not self._done:
                yield self._found.chunk(self.position)

    def _reply_asked(self) -> None:
        """Reply to a server that asks.

        One that shuts down asks at once again until all that it sent is saved, and does not end before that.
        """
        now, (begun, asked) = time.monotonic(), self._asked
        self._asked = (begun, asked + 1) if now - begun < _ASKED_SECONDS else (now, 1)
        if asked > _MOST_ASKED:
            raise failures.stopping(self._options.conn_id)
        self._reply(False)

    def _pass(self, end: int) -> None:
        self.received = max(self.received, end)
        self.position = LogPosition(place_of(end))
        self._done = end >= self._target

    def _message(self, message: pgoutput.Message) -> Iterator[LogChunk]:
        if self._transaction is None or not message.transactional:
            self._stray(message.prefix)
            return
        self._transaction.number += 1
        if message.prefix in self._options.messages and self._transaction.wanted:
            found = logged(self._options, self.sender.encoding, message, self._transaction.hidden)
            self._found.add_message(found, len(message.content))
            yield from self._cut(None)

    def _stray(self, prefix: str) -> None:
        """Warn of a message outside of a transaction: it comes even if what surrounded it was rolled back."""
        if prefix in self._options.messages and prefix not in self._strays:
            self._strays.add(prefix)
            self._options.log.warning(
                "logical messages with prefix %r are left out where they were written with transactional = false: they"
                " come though their transaction is rolled back. Write them by pg_logical_emit_message(true, …)",
                prefix,
            )
