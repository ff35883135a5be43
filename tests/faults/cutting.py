"""A proxy that cuts a connection at its COMMIT: before the server gets it, or before the client gets the answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.support.silence import Proxy

_COMMIT = b"COMMIT"


class CuttingProxy(Proxy):
    """Passes bytes, until the next COMMIT once that is armed.

    Attributes:
        cut: `before` the server gets the next COMMIT, `behind` it, which then has no answer; empty: never.
        done: set once a connection was cut.
    """

    def __init__(self, host: str, port: int) -> None:
        self.cut = ""
        self.done = threading.Event()
        self._mute, self._heard = threading.Event(), threading.Event()
        super().__init__(host, port)

    def _pass(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65_536):
                if not from_client and self._mute.is_set():
                    self._heard.set()
                    continue
                if from_client and self.cut and _COMMIT in some.upper():
                    how, self.cut = self.cut, ""
                    if how == "behind":
                        self._let_commit(target, some)
                    self._end(source, target)
                    return
                target.sendall(some)
            target.shutdown(socket.SHUT_WR)

    def _let_commit(self, server: socket.socket, statement: bytes) -> None:
        """Pass a COMMIT on, and wait for the answer, which the client does not get."""
        self._mute.set()
        server.sendall(statement)
        self._heard.wait(20)
        self._mute.clear()

    def _end(self, *ends: socket.socket) -> None:
        self.done.set()
        for one in ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(host: str, port: int) -> Iterator[CuttingProxy]:
    """A proxy before a server, until the test ends."""
    made = CuttingProxy(host, port)
    try:
        yield made
    finally:
        made.close()
