"""A proxy that falls silent: connections stay open, new ones are accepted, and no byte passes any more."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator

_NEVER = lambda _: False  # noqa: E731
_AS_IT_IS = lambda some: some  # noqa: E731


class Proxy:
    """Passes bytes between clients and a server until it is silent.

    Args:
        host: of the server.
        port: of the server.

    Attributes:
        port: that the proxy listens to, on 127.0.0.1.
        silent: whether nothing passes any more.
        answered: what a client gets instead of what the server sends.
        targets: host and port of the server of each connection, as a balancer chooses them.
        silent_at: judges what a client sends; where it holds the proxy falls silent before that is passed on.
    """

    def __init__(self, host: str, port: int) -> None:
        self.targets: Iterator[tuple[str, int]] = itertools.repeat((host, port))
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]
        self.silent = threading.Event()
        self.silent_at: Callable[[bytes], bool] = _NEVER
        self.answered: Callable[[bytes], bytes] = _AS_IT_IS
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for one in (self._server, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the test is over
            while True:
                client, _ = self._server.accept()
                self._sockets.append(client)
                if self.silent.is_set():
                    continue
                backend = socket.create_connection(next(self.targets))
                self._sockets.append(backend)
                threading.Thread(target=self._pass, args=(client, backend, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(backend, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65_536):
                if from_client and self.silent_at(some):
                    self.silent.set()
                if self.silent.is_set():
                    return  # the sockets stay open
                target.sendall(some if from_client else self.answered(some))
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """A proxy before a server, until the test ends."""
    made = Proxy(host, port)
    try:
        yield made
    finally:
        made.close()
