"""Forks of a process that has imported all that they need; each tells its steps, and can be stopped at them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection


class Told:
    """Tells steps to the test, and waits at some of them."""

    def __init__(self, connection: Connection, stops: tuple[str, ...]) -> None:
        self._connection, self._stops = connection, stops

    def step(self, name: str) -> None:
        self._connection.send(("step", name))
        if name in self._stops:
            self._connection.recv()


class LogLines(logging.Handler):
    """Keeps levels and lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))


def serve(control: socket.socket, run: Callable[[Connection], None]) -> None:
    """Fork a run for each connection that comes, and answer its process id, until the test's process is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here: their connection says when they end
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not asked:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            try:
                run(Connection(descriptors[0]))
            except Exception:  # noqa: BLE001  the test sees that it ended without an answer
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(descriptors[0])
        control.send(pid.to_bytes(8, "big"))
