"""The benchmark's orders in a MariaDB database whose binlog every reader reads from the same position."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.changelog.logged import DEBEZIUM, OURS, Logged
from tests.benchmarks.legacy.base import Table
from tests.benchmarks.legacy.mariadb import MOVING, ORDERS, MariaDBLegacy
from tests.services.mariadb import MariaDBLogs

LIBRARY = "python-mysql-replication"
_CREATE, _ZONE, _INSERT, *_ENDS = (statement.strip() for statement in ORDERS.split(";"))
_EVERY_SECONDS = 0.02
_DUMPS = "SELECT tid FROM information_schema.processlist WHERE command = 'Binlog Dump'"


class Dumps:
    """See `Watch`; on a server that nobody else reads the binlog of.

    Args:
        server: whose sessions are watched.
        pid: of it; None where its CPU can't be seen.
        meter: called when a dump begins.
    """

    def __init__(self, server: Any, pid: int | None, meter: Callable[[], Any]) -> None:
        self._server, self._pid, self._meter = server, pid, meter
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
        spent: dict[int, float] = {}
        while not self._over.wait(_EVERY_SECONDS):
            for (thread,) in self._server.execute(_DUMPS):
                if self.began is None:
                    self.began, self.metered = time.monotonic(), self._meter()
                spent[thread] = self._seconds(thread) or spent.get(thread, 0.0)
            self.cpu = sum(spent.values())

    def _seconds(self, thread: int) -> float | None:
        """CPU seconds of a thread of the server, to the nanosecond that the kernel schedules by."""
        file = Path(f"/proc/{self._pid}/task/{thread}/schedstat")
        return int(file.read_text().split()[0]) / 1e9 if self._pid and file.exists() else None


class LoggedMariaDB(Logged, MariaDBLegacy):
    """See `Legacy` and `Logged`.

    Attributes:
        begin: file and position where the other readers begin.
        gtid: the same as the server's GTID.
    """

    made = MariaDBLogs
    readers = (OURS, DEBEZIUM, LIBRARY)
    begin: tuple[str, int]
    gtid: str

    def schema(self, table: Table) -> str:
        """See `Logged`."""
        return str(table.connection["schema"])

    def arguments(self) -> Mapping[str, Any]:
        """See `Logged`."""
        return {}

    def watch(self, table: Table, name: Any, meter: Callable[[], Any] = lambda: None) -> Dumps:
        """See `Logged`."""
        return Dumps(self._server, self.pid, meter)

    def empty(self) -> Table:
        """See `Logged`."""
        self._drop()
        self._name = f"legacy_events_bench_log_{uuid.uuid4().hex[:8]}"
        self._server.execute(f"CREATE DATABASE {self._name}")
        self._server.execute(_CREATE, self._name)
        self._unread, self._prepared = set(), (0, 0)
        return self.opened(self._name, 0)

    def opened_last(self, rows: int) -> Table:
        """See `Logged`."""
        return self.opened(self._name, rows)

    def write(self, rows: int, size: int) -> None:
        """See `Logged`."""
        for first in range(1, rows + 1, size):
            some = _INSERT.replace("seq_1_to_{rows}", f"seq_{first}_to_{min(first + size - 1, rows)}")
            self._server.execute(f"{_ZONE}; {some.format(updated_at=MOVING)}", self._name)
        for statement in _ENDS:
            self._server.execute(statement, self._name)

    def begin_others(self, table: Table) -> None:
        """See `Logged`: a position."""
        [(file, position, *_)] = self._server.execute("SHOW MASTER STATUS")
        [(gtid,)] = self._server.execute("SELECT @@gtid_binlog_pos")
        self.begin, self.gtid = (str(file), int(position)), str(gtid)

    def stop(self) -> None:
        """See `Legacy`; a server that is not ours keeps nothing of us."""
        self._drop()
        super().stop()

    def _drop(self) -> None:
        if self._prepared is not None:
            self._server.execute(f"DROP DATABASE IF EXISTS {self._name}")
            self._prepared = None
