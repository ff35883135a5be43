"""What the benchmark of the change log stands on beside the usual: servers with a log, and a Connect worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks import processes
from tests.benchmarks.changelog.binlog_tables import LoggedMariaDB
from tests.benchmarks.changelog.tables import LoggedPostgres
from tests.benchmarks.legacy.base import Legacy
from tests.benchmarks.world import World
from tests.services.connect import ConnectStandalone

LOGGED, MARIADB = "logged", "logged-mariadb"
_MADE: dict[str, Callable[[], Any]] = {LOGGED: LoggedPostgres, MARIADB: LoggedMariaDB}


class LogWorld(World):
    """See `World`."""

    _worker: ConnectStandalone | None = None

    def legacy(self, name: str) -> Legacy:
        """See `World`."""
        found: Legacy = self.logged(name) if name in _MADE else super().legacy(name)
        return found

    def logged(self, name: str = LOGGED) -> Any:
        """The server whose log is read; see `Legacy` and `Logged`."""
        if name not in self._legacies:
            self._legacies[name] = _MADE[name]()
        return self._legacies[name]

    @property
    def worker(self) -> ConnectStandalone:
        """The Connect worker; one for all rounds, so that its code is compiled when it is measured."""
        if self._worker is None:
            self._worker = ConnectStandalone(self.kafka.bootstrap, shared=False, options=["-Xmx2g"])
        return self._worker

    def worker_cpu(self) -> float:
        """CPU seconds that the worker has used."""
        assert self.worker.process is not None
        return processes.cpu_of_tree(self.worker.process.pid) or 0.0

    def stop(self) -> None:
        """See `World`."""
        if self._worker is not None:
            self._worker.stop()
        super().stop()
