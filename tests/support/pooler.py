"""A pooler that loses notifications, as one does that hands out sessions of PostgreSQL by the transaction."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_NOTIFICATION = b"A"


@contextlib.contextmanager
def pooler(host: str, port: int) -> Iterator[int]:
    """Forward to a server, without encryption, all but notifications; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):  # the test is over
                while True:
                    client, _ = server.accept()
                    backend = socket.create_connection((host, port))
                    threading.Thread(target=_forward, args=(client, backend), daemon=True).start()
                    threading.Thread(target=_answer, args=(backend, client), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _forward(client: socket.socket, backend: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := client.recv(65_536):
            backend.sendall(some)
        backend.shutdown(socket.SHUT_WR)


def _answer(backend: socket.socket, client: socket.socket) -> None:
    """Each message is a letter, its length with these four bytes, and the rest."""
    with contextlib.suppress(OSError), backend.makefile("rb") as messages, client:
        while head := messages.read(5):
            body = messages.read(int.from_bytes(head[1:]) - 4)
            if head[:1] != _NOTIFICATION:
                client.sendall(head + body)
