"""Everything that a run of the benchmark stands on: the broker, the legacy databases, an Airflow of its own."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import processes
from tests.benchmarks.legacy import DATABASES
from tests.benchmarks.legacy.base import CONN_ID, Legacy
from tests.services.base import cache
from tests.services.kafka import Kafka
from tests.support.topics import Topics

ROOT = Path(__file__).parents[2]
SPECIFICATION = "LEGACY_EVENTS_BENCHMARK"


class World:
    """Servers are started when they are first asked for and stopped with the world."""

    def __init__(self, kafka: Kafka | None = None) -> None:
        self.kafka = kafka or Kafka()
        self.topics = Topics(self.kafka)
        self.home = Path(tempfile.mkdtemp(prefix="legacy-events-bench-"))
        self._legacies: dict[str, Legacy] = {}

    def beside(self, kafka: Kafka) -> World:
        """The same legacy databases with another broker; whoever asks for it ends that broker."""
        other = World(kafka)
        other._legacies = self._legacies
        return other

    def legacy(self, name: str) -> Legacy:
        """The running server of one legacy database."""
        if name not in self._legacies:
            self._legacies[name] = DATABASES[name]()
        return self._legacies[name]

    def broker_cpu(self) -> float | None:
        """CPU seconds that the broker has used; None where it runs elsewhere."""
        return None if self.kafka.process is None else processes.cpu_of_tree(self.kafka.process.pid)

    def settle(self) -> None:
        """Wait until all servers rest."""
        processes.settle(self.broker_cpu, *(legacy.cpu for legacy in self._legacies.values()))

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
        """Run the task that `specification` describes in a child with an Airflow home of its own; return what it
        measured, run by run."""
        home = Path(tempfile.mkdtemp(prefix="airflow-", dir=self.home))
        shutil.copyfile(self._empty_metadata, home / "airflow.db")
        results = home / "results.jsonl"
        environment = {
            **airflow_environment(home),
            f"AIRFLOW_CONN_{CONN_ID.upper()}": json.dumps(connection),
            "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps(
                {"conn_type": "kafka", "extra": {"bootstrap.servers": self.kafka.bootstrap}}
            ),
            SPECIFICATION: json.dumps({"results": str(results), **specification}),
        }
        processes.run([sys.executable, "-m", "tests.benchmarks.inside"], environment, ROOT)
        found = [json.loads(line) for line in results.read_text().splitlines()]
        shutil.rmtree(home)
        return found

    @functools.cached_property
    def _empty_metadata(self) -> Path:
        """A migrated metadata database without content, made once for each version of Airflow."""
        from importlib.metadata import version

        kept = cache("benchmarks") / f"airflow-{version('apache-airflow-core')}.db"
        if not kept.exists():
            home = Path(tempfile.mkdtemp(prefix="empty-", dir=self.home))
            processes.run([sys.executable, "-m", "airflow", "db", "migrate"], airflow_environment(home))
            (home / "airflow.db").rename(kept)
        return kept

    def stop(self) -> None:
        """End what was started here."""
        self.kafka.stop()
        for legacy in self._legacies.values():
            legacy.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def airflow_environment(home: Path) -> dict[str, str]:
    """The settings of an Airflow that is used by one child and thrown away."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONWARNINGS": "ignore",
    }
