"""Kafka Connect with Debezium's connectors for PostgreSQL and MariaDB: a worker from jars that are downloaded once.

Only the benchmark of the change log starts it.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.services.base import MissingServiceError, Service, alone, cache, free_port, wait_until
from tests.services.kafka import VERSION

DEBEZIUM = "3.6.1.Final"
_ARTIFACTS = (
    ("org.apache.kafka", "connect-runtime", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
_PLUGINS = {"postgres": DEBEZIUM, "mariadb": "3.5.0.Final"}
"""Debezium's releases; of the connector for MariaDB no later one is to be had from Maven Central."""
_SETTINGS = """
bootstrap.servers={bootstrap}
listeners=http://127.0.0.1:{port}
rest.advertised.host.name=127.0.0.1
offset.storage.file.filename={folder}/offsets
plugin.path={plugins}
plugin.discovery=service_load
connector.client.config.override.policy=All
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
"""
_LOGGING = """
<Configuration>
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m%n"/></Console></Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


class Connect(Service):
    """A running worker.

    Args:
        bootstrap: of its broker.
    """

    name = "connect"

    def __init__(self, bootstrap: str) -> None:
        super().__init__()
        jars = _jars()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{(port := free_port())}", timeout=30, trust_env=False)
        settings, logging = self.folder / "worker.properties", self.folder / "log4j2.xml"
        plugins = jars / "plugins"
        settings.write_text(_SETTINGS.format(bootstrap=bootstrap, port=port, folder=self.folder, plugins=plugins))
        logging.write_text(_LOGGING)
        java = ["java", "-Xmx2g", f"-Dlog4j2.configurationFile={logging}", "-cp", f"{jars}/libs/*"]
        self.spawn([*java, "org.apache.kafka.connect.cli.ConnectStandalone", settings], cwd=self.folder)
        self.wait_ready(self._answers)

    def begin(self, name: str, settings: Mapping[str, Any], offset: Mapping[str, Any] | None = None) -> None:
        """Make a connector.

        Args:
            name: of it.
            settings: of it.
            offset: where it begins, in its own words; where it likes to if there is none.
        """
        body: dict[str, Any] = {"name": name, "config": {key: str(value) for key, value in settings.items()}}
        if offset is None:
            self._demand(self._client.post("/connectors", json=body))
            return
        self._demand(self._client.post("/connectors", json={**body, "initial_state": "STOPPED"}))
        offsets = [{"partition": {"server": settings["topic.prefix"]}, "offset": dict(offset)}]
        set_ = functools.partial(self._client.patch, f"/connectors/{name}/offsets", json={"offsets": offsets})
        wait_until(lambda: set_().is_success, f"the offset of connector {name} being set")
        self._demand(self._client.put(f"/connectors/{name}/resume"))

    def _demand(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise RuntimeError(f"the connector was refused: {answer.text[:2000]}\n{self.tail()}")

    def failure(self, name: str) -> str | None:
        """Return what ended the connector or its task; None while none has failed."""
        answer = self._client.get(f"/connectors/{name}/status")
        if not answer.is_success:
            return None
        found = answer.json()
        parts = [found["connector"], *found["tasks"]]
        return next((part.get("trace", "") for part in parts if part["state"] == "FAILED"), None)

    def end(self, name: str) -> None:
        """Delete a connector, and wait until it is gone."""
        self._client.delete(f"/connectors/{name}").raise_for_status()
        wait_until(lambda: name not in self._client.get("/connectors").json(), f"connector {name} being gone")

    def _answers(self) -> bool:
        try:
            return self._client.get("/connectors").is_success
        except httpx.HTTPError:
            return False


def _jars() -> Path:
    """The folder of the worker's jars and its plugin, downloaded once by Maven."""
    folder = cache(f"connect-{VERSION}-debezium-{DEBEZIUM}")
    with alone(folder):
        missing = [one for one in _PLUGINS if not (folder / "plugins" / f"debezium-connector-{one}").exists()]
        if missing or not (folder / ".complete").exists():
            if shutil.which("java") is None or shutil.which("mvn") is None:
                raise MissingServiceError("Debezium needs Java and Maven: apt-get install default-jre-headless maven")
            _download(folder, missing)
            (folder / ".complete").touch()
    return folder


def _download(folder: Path, plugins: Sequence[str]) -> None:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in _ARTIFACTS
    )
    (folder / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>tests</groupId><artifactId>connect</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )
    maven = ["mvn", "-q", "-B"]
    subprocess.run([*maven, "dependency:copy-dependencies", "-DoutputDirectory=libs"], cwd=folder, check=True)
    for name in plugins:
        wanted = f"io.debezium:debezium-connector-{name}:{_PLUGINS[name]}:tar.gz:plugin"
        copy = [*maven, "dependency:copy", f"-Dartifact={wanted}", f"-DoutputDirectory=archive-{name}"]
        subprocess.run(copy, cwd=folder, check=True)
        [archive] = (folder / f"archive-{name}").glob("*.tar.gz")
        with tarfile.open(archive) as found:
            found.extractall(folder / "plugins", filter="data")
