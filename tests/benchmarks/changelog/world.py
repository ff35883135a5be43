"""What the benchmark of the change log stands on beside the usual: a server with a log, and a Connect worker."""

from __future__ import annotations

from tests.benchmarks import processes
from tests.benchmarks.changelog.tables import LoggedPostgres
from tests.benchmarks.legacy.base import Legacy
from tests.benchmarks.world import World
from tests.services.connect import Connect

LOGGED = "logged"


class LogWorld(World):
    """See `World`."""

    _worker: Connect | None = None

    def legacy(self, name: str) -> Legacy:
        """See `World`."""
        return self.logged if name == LOGGED else super().legacy(name)

    @property
    def logged(self) -> LoggedPostgres:
        """The server whose log is read."""
        found = self._legacies.setdefault(LOGGED, self._legacies.get(LOGGED) or LoggedPostgres())
        assert isinstance(found, LoggedPostgres)
        return found

    @property
    def worker(self) -> Connect:
        """The Connect worker; one for all rounds, so that its code is compiled when it is measured."""
        if self._worker is None:
            self._worker = Connect(self.kafka.bootstrap)
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
