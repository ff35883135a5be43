"""Apache Kafka: one KRaft node from its jars, or the broker behind LEGACY_EVENTS_TEST_KAFKA_BOOTSTRAP."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.services import docker
from tests.services.base import MissingServiceError, Service, alone, apt_install, cache, free_port

VARIABLE = "LEGACY_EVENTS_TEST_KAFKA_BOOTSTRAP"
VERSION = "4.3.0"
QUICK_START = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""Compiles less: a broker that lives for a test is up in two thirds of the time, and of the CPU."""
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class Kafka(Service):
    """A running broker.

    Args:
        shared: use the broker that the environment names, if it names one; a test that kills its broker does not.
        settings: further ones of the server.
        port: to listen on; None: a free one.
        advertised: where clients are sent instead, to what stands before the broker.
    """

    name = "kafka"

    def __init__(
        self,
        *,
        shared: bool = True,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        advertised: int | None = None,
    ) -> None:
        super().__init__()
        self._settings = dict(settings or {})
        self._port, self._advertised = port or free_port(), advertised
        self.bootstrap = os.environ.get(VARIABLE, "") if shared else ""
        self._container: str | None = None
        if not self.bootstrap:
            self._start()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        self.wait_ready(self._answers)

    @property
    def address(self) -> str:
        """See `Service`."""
        return self.bootstrap

    def stop(self) -> None:
        """End what was started here."""
        if self._container:
            docker.remove(self._container)
        super().stop()

    def _start(self) -> None:
        port, controller = self._port, free_port()
        advertised = self._advertised or port
        self.bootstrap = f"127.0.0.1:{advertised}"
        libraries = _libraries()
        if libraries is None:
            self._container = _container(port, self._settings)
            return
        settings = self.folder / "server.properties"
        further = "".join(f"{name}={value}\n" for name, value in self._settings.items())
        own = _SETTINGS.format(port=port, advertised=advertised, controller=controller, folder=self.folder)
        settings.write_text(own + further)
        java = ["java", "-cp", f"{libraries}/*"]
        # One that begins with "-" would be read as an option.
        cluster = "A" + urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", settings, "--ignore-formatted"],
            check=True,
            capture_output=True,
        )
        self._command = [*java[:1], "-Xmx512m", *java[1:], "kafka.Kafka", settings]
        self.spawn(self._command, cwd=self.folder)

    def restart(self) -> None:
        """Start a broker that was killed again, on its address and its data."""
        self.spawn(self._command, cwd=self.folder)
        self.wait_ready(self._answers)

    def _answers(self) -> bool:
        try:
            found = self.admin.list_topics(timeout=2)
        except KafkaException:
            return False
        return found.controller_id in found.brokers


def _libraries() -> Path | None:
    """The folder of Kafka's jars, downloaded once; None where Docker must do."""
    folder = cache(f"kafka-{VERSION}")
    complete = folder / ".complete"
    if shutil.which("java") is None or (not complete.exists() and shutil.which("mvn") is None):
        if os.geteuid() == 0 and shutil.which("apt-get"):
            apt_install("default-jre-headless", "maven")
        elif docker.available():
            return None
        else:
            raise MissingServiceError(
                "Kafka needs Java and Maven: apt-get install default-jre-headless maven, or start Docker, or set"
                f" {VARIABLE} to the address of a broker for tests"
            )
    with alone(folder):
        if not complete.exists():
            _download(folder)
    return folder / "libs"


def _download(folder: Path) -> None:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in _ARTIFACTS
    )
    (folder / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>tests</groupId><artifactId>kafka</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"]
    subprocess.run(command, cwd=folder, check=True)
    (folder / ".complete").touch()


def _container(port: int, settings: Mapping[str, str]) -> str:
    listeners = {
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_NODE_ID": "1",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }
    listeners |= {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    return docker.run(f"apache/kafka:{VERSION}", port, 9092, listeners)
