"""Reader of PostgreSQL's change log: it streams a slot, and continues where a position says."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.core.model.log import LogChunk, LogPosition
from airflow_legacy_events.databases.postgres.changelog.failures import READING
from airflow_legacy_events.databases.postgres.changelog.numbering import record_end
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.places import number_of
from airflow_legacy_events.databases.postgres.changelog.relations import Relations
from airflow_legacy_events.databases.postgres.changelog.stream import Stream
from airflow_legacy_events.databases.postgres.changelog.walsender import WalSender


class LogReader:
    """Reads the change log through a walsender that is started when it is needed, and ends with the reader.

    `read` is called from one thread; `acknowledge` and `close` from any.

    Args:
        options: see `ReaderOptions`.
    """

    def __init__(self, options: ReaderOptions) -> None:
        self._options, self._relations = options, Relations(options)
        self._sender: WalSender | None = None
        self._stream: Stream | None = None
        self._standing: LogPosition | None = None
        self._saved, self._closed = 0, threading.Event()
        self._told, self._telling = False, threading.Lock()

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """Yield the changes; see `core.ports.ChangeLog.read`.

        The stream stays open at its end, so that places can be acknowledged, and the next call continues with it if it
        begins where this one ended.

        Args:
            after: changes at or below it are dropped.
            until: a place that is flushed, or will be.
            rows: maximum of rows of a chunk; one is also full at 8 MiB of the log's messages.

        Raises:
            SourceError: the log can't be read on.
        """
        if number_of(after.place) >= record_end(number_of(until)):
            yield LogChunk((), after, final=True)
            return
        going_on = self._stream is not None and self._standing == after
        stream = self._stream if going_on and self._stream is not None else self._started(after)
        self._standing = None
        try:
            for chunk in stream.chunks(after, until, rows):
                if chunk.final:
                    self._standing = chunk.end
                yield chunk
        except LegacyEventsError:
            self._end()  # at once: a server that shuts down waits for it
            raise

    def acknowledge(self, place: str) -> None:
        """Report to the server that everything before `place` is saved.

        What is acknowledged while nothing streams is reported when the stream starts.
        """
        self._saved = max(self._saved, number_of(place))
        self._report(False)

    def close(self) -> None:
        """End the stream, so that the slot is free; may be called from any thread, and again."""
        self._closed.set()
        if (sender := self._sender) is not None:
            sender.close()

    def _started(self, after: LogPosition) -> Stream:
        if self._stream is not None:
            self._end()
        sender = self._connected()
        self._relations.forget()
        self._relations.cents = sender.cents
        sender.start(self._options.slot, self._options.publication, after.place)
        self._stream = Stream(self._options, sender, self._relations, self._report, after)
        if self._saved:
            self._report(False)
        return self._stream

    def _connected(self) -> WalSender:
        """Return a connection that does not stream yet."""
        if self._sender is None:
            options = self._options
            self._sender = sender = WalSender(options.connect(), options.conn_id, options.timeout_seconds)
            self._refuse_closed()
            sender.prepare()
        return self._sender

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            self._end()
            raise SourceError(f"connection {self._options.conn_id!r} was closed by its run while {READING}")

    def _end(self) -> None:
        sender, self._sender, self._stream, self._standing = self._sender, None, None, None
        if sender is not None:
            sender.close()

    def _report(self, ask: bool) -> None:  # noqa: FBT001  a reply of `Stream`
        stream = self._stream
        if stream is None:
            return
        saved = self._saved
        sent = stream.sender.report(max(stream.received, saved), saved, ask=ask)
        if sent and saved:
            self._tell(stream.sender.pid)

    def _tell(self, pid: int) -> None:
        with self._telling:
            told, self._told = self._told, True
        if not told:
            self._options.reported(pid)
