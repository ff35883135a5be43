"""The server process that sends the changes of a slot, watched while they are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

import psycopg

from tests.benchmarks.processes import cpu_of_tree

_EVERY_SECONDS = 0.05
_ACTIVE = b"SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s"


class Sender:
    """Watches a slot as long as the context lasts.

    Args:
        dsn: of the server.
        slot: its name.
        meter: called when the slot begins to stream.

    Attributes:
        began: when it did, on the monotonic clock; None if it never did.
        metered: what the meter said then.
        cpu: seconds of the process since then.
    """

    def __init__(self, dsn: str, slot: str, meter: Callable[[], Any] = lambda: None) -> None:
        self._dsn, self._slot, self._meter = dsn, slot, meter
        self.began: float | None = None
        self.metered: Any = None
        self.cpu = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        pid: int | None = None
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._over.wait(_EVERY_SECONDS):
                if pid is None:
                    found = connection.execute(_ACTIVE, (self._slot,)).fetchone()
                    pid = found[0] if found else None
                    if pid is not None and self.began is None:
                        self.began, self.metered = time.monotonic(), self._meter()
                if pid is not None:
                    self.cpu = cpu_of_tree(pid) or self.cpu
