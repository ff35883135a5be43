"""Copy: moves a stream to another store of the deployment."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.entries import open_for, put, store_of
from airflow_legacy_events.streams.directory.locks import Signature, locked, source_of
from airflow_legacy_events.watermarks.registration import read_registration, write_registration


class Copy:
    """Move of a stream to another store; nothing is changed before `carry_out`.

    Args:
        stream: to move.
        to: name of the other store.

    Attributes:
        old: name of the store that holds the stream.
        new: name of the other one.

    Raises:
        ConfigurationError: there is nothing to copy, a store can't be opened, or the other store already has the
            stream.
        WatermarkError: the watermark can't be read.
    """

    def __init__(self, stream: str, to: str) -> None:
        registration = read_registration(stream)
        if registration is None:
            raise ConfigurationError(f"stream {stream!r} has never begun: there is nothing to copy")
        self._stream, self._registration = stream, registration
        self._from, self._to = store_of(stream, registration), open_for(to, stream, registration)
        self.old, self.new = registration.store, self._to.name
        self._mark()

    def carry_out(self, conn_id: str | None, signature: Signature) -> None:
        """Write the watermark there, register it there, then remove it here, all under the stream's lock.

        Args:
            conn_id: connection of the stream's source; None: the one that the watermark names.
            signature: of the person.

        Raises:
            ConfigurationError: a run works on the stream, or its watermark is gone.
            WatermarkError: a store can't be read or written.
        """
        with locked(self._stream, source_of(self._stream, self._mark(), conn_id), "copy", signature, self._mark()):
            mark = signature.under(self._mark())
            put(self._to, self._stream, mark)
            write_registration(self._stream, self._registration._replace(store=self.new))
            self._from.forget(self._stream)
            if self._to.load(self._stream) is None:  # both connections lead to one table
                put(self._to, self._stream, mark)

    def _mark(self) -> Watermark:
        mark = self._from.load(self._stream)
        if self.new == self.old or mark is None:
            found = "it is there already" if mark is not None else f"store {self.old!r} holds no watermark"
            raise ConfigurationError(f"stream {self._stream!r} can't be copied to {self.new!r}: {found}")
        return mark
