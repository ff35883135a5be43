"""The socket of a session that PyMySQL logged in: the only module that uses what is private in PyMySQL."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from typing import Any

from pymysql.err import OperationalError

KNOWN = ("1.1", "1.2")
"""Releases of PyMySQL whose `Connection._sock` is as this module needs it: a test tries the one that is installed."""

LOST = 2013
"""Error number of a connection that was lost."""

_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))


class Wire:
    """Sends and receives bytes; one thread uses it, any may close it.

    Args:
        connection: of PyMySQL, on which no answer is outstanding; it is closed with this.
        seconds: of silence, behind which the connection counts as lost.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection, self._socket = connection, connection._sock  # noqa: SLF001  no public name
        self._using, self._closed, self._seconds = threading.Lock(), False, seconds
        if self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEPALIVE:
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    @property
    def encrypted(self) -> bool:
        """Whether the session uses TLS."""
        return isinstance(self._socket, ssl.SSLSocket)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one small statement; return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            OperationalError: the connection is lost.
        """
        try:
            self._socket.settimeout(self._seconds)  # PyMySQL has one of its own for its statements
            self._socket.sendall(data)
        except OSError as error:
            raise _lost(error) from None

    def receive(self, into: memoryview) -> int:
        """Receive what is there, at least a byte; return how many bytes came.

        Raises:
            OperationalError: the connection is lost, or nothing came for too long.
        """
        with self._using:
            if self._closed:
                raise OperationalError(LOST, "the session was closed")
            try:
                size: int = self._socket.recv_into(into)
            except OSError as error:
                raise _lost(error) from None
        if not size:
            raise OperationalError(LOST, "the server closed the connection")
        return size

    def close(self) -> None:
        """Close the session, from any thread, and again; a thread that waits in `receive` fails."""
        with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(self._socket.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
        with self._using:
            if not self._closed:
                self._closed = True
                self._connection.close()


def _lost(error: OSError) -> OperationalError:
    why = "the server sent nothing for too long" if isinstance(error, TimeoutError) else str(error)
    return OperationalError(LOST, f"the connection was lost: {why}")
