"""Everything that a run of the benchmark stands on: the broker, the legacy databases, an Airflow."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import processes
from tests.benchmarks.deployment import Deployment
from tests.benchmarks.legacy import DATABASES
from tests.benchmarks.legacy.base import Legacy
from tests.benchmarks.outbox.tables import OUTBOXES, OutboxServer
from tests.services.kafka import Kafka
from tests.support.topics import Topics


class World:
    """Servers are started when they are first asked for and stopped with the world."""

    def __init__(self, kafka: Kafka | None = None, deployment: Deployment | None = None) -> None:
        self.kafka = kafka or Kafka()
        self.topics = Topics(self.kafka)
        self.home = Path(tempfile.mkdtemp(prefix="legacy-events-bench-"))
        self._legacies: dict[str, Legacy] = {}
        self._outboxes: dict[str, OutboxServer] = {}
        self._deployment = deployment or Deployment()

    def beside(self, kafka: Kafka) -> World:
        """The same legacy databases with another broker; whoever asks for it ends that broker."""
        other = World(kafka, self._deployment)
        other._legacies = self._legacies
        return other

    def legacy(self, name: str) -> Legacy:
        """The running server of one legacy database."""
        if name in OUTBOXES:
            return self.outboxes(name)
        if name not in self._legacies:
            self._legacies[name] = DATABASES[name]()
        return self._legacies[name]

    def outboxes(self, name: str) -> OutboxServer:
        """The running server of outboxes."""
        if name not in self._outboxes:
            self._outboxes[name] = OUTBOXES[name]()
        return self._outboxes[name]

    def broker_cpu(self) -> float | None:
        """CPU seconds that the broker has used; None where it runs elsewhere."""
        return None if self.kafka.process is None else processes.cpu_of_tree(self.kafka.process.pid)

    def settle(self) -> None:
        """Wait until all servers rest."""
        processes.settle(self.broker_cpu, *(one.cpu for one in self._servers))

    def count(self, topic: str) -> int:
        """Messages on the only partition of a topic that no transaction wrote to, by its offsets."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "benchmark"})
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
            return high - low
        finally:
            consumer.close()

    def drop(self, topic: str) -> None:
        """Delete a topic."""
        self.kafka.admin.delete_topics([topic])[topic].result(30)

    def in_airflow(self, connection: Mapping[str, Any], specification: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run the task that `specification` describes; return what it measured, run by run."""
        return self._deployment.run(self.kafka.bootstrap, connection, specification)

    def airflow_prints(self, connection: Mapping[str, Any], words: Sequence[str]) -> str:
        """What a command of Airflow prints."""
        return self._deployment.prints(connection, words)

    @property
    def _servers(self) -> list[Legacy]:
        return [*self._legacies.values(), *self._outboxes.values()]

    def stop(self) -> None:
        """End what was started here."""
        self.kafka.stop()
        self._deployment.stop()
        for server in self._servers:
            server.stop()
        shutil.rmtree(self.home, ignore_errors=True)
