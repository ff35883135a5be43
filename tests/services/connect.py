"""Kafka Connect with Debezium's connectors for PostgreSQL and MariaDB and its JDBC sink, from jars downloaded once.

The worker of LEGACY_EVENTS_TEST_CONNECT_URL is used instead where that is set. It must write to the broker of
LEGACY_EVENTS_TEST_KAFKA_BOOTSTRAP, support exactly-once sources and have the plugins below.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.services.base import MissingServiceError, Service, alone, cache, free_port, wait_until
from tests.services.kafka import VERSION

VARIABLE = "LEGACY_EVENTS_TEST_CONNECT_URL"
DEBEZIUM = "3.6.1.Final"
_ARTIFACTS = (
    ("org.apache.kafka", "connect-runtime", VERSION),
    ("org.apache.kafka", "connect-basic-auth-extension", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
_PLUGINS = {"postgres": DEBEZIUM, "mariadb": "3.5.0.Final", "jdbc": "3.6.0.Final"}
"""Debezium's releases; of the connectors for MariaDB and JDBC no later ones are to be had from Maven Central."""
_SETTINGS = {
    "rest.advertised.host.name": "127.0.0.1",
    "plugin.discovery": "service_load",
    "connector.client.config.override.policy": "All",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
}
_DISTRIBUTED = {
    "exactly.once.source.support": "enabled",
    "offset.flush.interval.ms": "1000",  # of sinks
    "config.storage.replication.factor": "1",
    "offset.storage.replication.factor": "1",
    "offset.storage.partitions": "1",
    "status.storage.replication.factor": "1",
    "status.storage.partitions": "1",
    "config.providers": "env,file",
    "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
}
_LOGGING = """
<Configuration>
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m%n"/></Console></Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


class Connect(Service):
    """A running worker of a cluster, which commits the offsets of sources with their records.

    Args:
        bootstrap: of its broker.
        shared: use the worker that the environment names, if it names one; a test that ends its worker does not.
        settings: further ones of the worker, such as `exactly.once.source.support: disabled`.
        group: of the cluster, for a further worker of one; None: a cluster of its own.
        environment: variables of the worker, for `${env:…}`.
        options: of Java.
        cert: files of a client's certificate and of its key, where the worker demands one.
    """

    name = "connect"
    program = "ConnectDistributed"

    def __init__(
        self,
        bootstrap: str = "",
        *,
        shared: bool = True,
        settings: Mapping[str, str] | None = None,
        group: str | None = None,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        cert: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.url = os.environ.get(VARIABLE, "") if shared else ""
        self.bootstrap, self._given = bootstrap, dict(settings or {})
        started = not self.url
        self._port = free_port()
        self.group = group or f"connect-{self._port}"
        self.url = self.url or self._address()
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False, verify=False, cert=cert)
        if started:
            self._start(options, environment)
        self.wait_ready(self._answers, 120)

    @property
    def address(self) -> str:
        """See `Service`."""
        return self.url

    @property
    def port(self) -> int:
        """The port that the worker listens on."""
        return int(self.client.base_url.port or 0)

    def _address(self) -> str:
        scheme = "https" if "https:" in self._given.get("listeners", "") else "http"
        return f"{scheme}://127.0.0.1:{self._port}"

    def _start(self, options: Sequence[str], environment: Mapping[str, str] | None) -> None:
        jars, settings, logging = _jars(), self.folder / "worker.properties", self.folder / "log4j2.xml"
        found = {
            "bootstrap.servers": self.bootstrap,
            "plugin.path": str(jars / "plugins"),
            **_SETTINGS,
            **self._further(),
            **self._given,
        }
        found["listeners"] = self._given.get("listeners", "http://127.0.0.1:{port}").format(port=self._port)
        settings.write_text("".join(f"{name}={value}\n" for name, value in found.items()))
        logging.write_text(_LOGGING)
        java = ["java", "-Xmx1g", f"-Dlog4j2.configurationFile={logging}", *options, "-cp", f"{jars}/libs/*"]
        self._command = [*java, f"org.apache.kafka.connect.cli.{self.program}", str(settings)]
        self._environment = dict(environment or {})
        self.spawn(self._command, cwd=self.folder, environment=self._environment)

    def restart(self) -> None:
        """Start a worker that was killed again, on its address."""
        self.begin_again()
        self.wait_ready(self._answers, 120)

    def begin_again(self) -> None:
        """Likewise, without waiting until it is ready."""
        self.spawn(self._command, cwd=self.folder, environment=self._environment)

    def _further(self) -> dict[str, str]:
        topics = {f"{kind}.storage.topic": f"{self.group}-{kind}" for kind in ("config", "offset", "status")}
        return {"group.id": self.group, **topics, **_DISTRIBUTED}

    def begin(self, name: str, settings: Mapping[str, Any], offset: Mapping[str, Any] | None = None) -> None:
        """Make a connector.

        Args:
            name: of it.
            settings: of it.
            offset: where it begins, in its own words; where it likes to if there is none.
        """
        body: dict[str, Any] = {"name": name, "config": {key: str(value) for key, value in settings.items()}}
        if offset is None:
            self._demand(self.send("POST", "/connectors", json=body))
            return
        self._demand(self.send("POST", "/connectors", json={**body, "initial_state": "STOPPED"}))
        offsets = [{"partition": {"server": settings["topic.prefix"]}, "offset": dict(offset)}]
        set_ = functools.partial(self.client.patch, f"/connectors/{name}/offsets", json={"offsets": offsets})
        wait_until(lambda: set_().is_success, f"the offset of connector {name} being set")
        self._demand(self.client.put(f"/connectors/{name}/resume"))

    def _demand(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise RuntimeError(f"the connector was refused: {answer.text[:2000]}\n{self.tail()}")

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a request, once no rebalance is under way."""

        def answer() -> httpx.Response | None:
            found = self.client.request(method, path, **options)
            passing = found.status_code == 500 and "rebalance" in found.text
            return None if passing or (found.status_code == 409 and "already exists" not in found.text) else found

        found: httpx.Response = wait_until(answer, f"{method} {path} being answered")
        return found

    def status(self, name: str) -> dict[str, Any] | None:
        """Return what the worker says of a connector; None if it does not know it."""
        answer = self.send("GET", f"/connectors/{name}/status")
        return answer.json() if answer.is_success else None

    def config(self, name: str) -> dict[str, str] | None:
        """Return the config of a connector; None if the worker does not know it."""
        answer = self.send("GET", f"/connectors/{name}/config")
        return answer.json() if answer.is_success else None

    def failure(self, name: str) -> str | None:
        """Return what ended the connector or its task; None while none has failed."""
        found = self.status(name)
        parts = [found["connector"], *found["tasks"]] if found else []
        return next((part.get("trace", "") for part in parts if part["state"] == "FAILED"), None)

    def wait_running(self, name: str, seconds: float = 60) -> None:
        """Wait until a connector and at least one task of it run; one that fails meanwhile is an error."""

        def runs() -> bool:
            found = self.status(name)
            states = [part["state"] for part in [found["connector"], *found["tasks"]]] if found else []
            if "FAILED" in states:
                raise RuntimeError(f"connector {name} failed: {self.failure(name)}")
            return len(states) > 1 and set(states) == {"RUNNING"}

        wait_until(runs, f"connector {name} running", seconds)

    def end(self, name: str) -> None:
        """Delete a connector, and wait until it is gone."""
        self.send("DELETE", f"/connectors/{name}").raise_for_status()
        wait_until(lambda: name not in self.client.get("/connectors").json(), f"connector {name} being gone")

    def _answers(self) -> bool:
        try:
            return self.client.get("/health").status_code in (200, 401)
        except httpx.HTTPError:
            return False


class ConnectStandalone(Connect):
    """A worker without a cluster, as the benchmark uses it; its offsets are in a file."""

    program = "ConnectStandalone"

    def _further(self) -> dict[str, str]:
        return {"offset.storage.file.filename": str(self.folder / "offsets")}


def _jars() -> Path:
    """The folder of the worker's jars and its plugins, downloaded once by Maven."""
    folder = cache(f"connect-{VERSION}")
    plugins, complete = folder / "plugins", folder / ".complete"
    wanted = repr((_ARTIFACTS, _PLUGINS))
    with alone(folder):
        if not complete.exists() or complete.read_text() != wanted:
            if shutil.which("java") is None or shutil.which("mvn") is None:
                raise MissingServiceError(
                    "Kafka Connect needs Java and Maven: apt-get install default-jre-headless maven, or set"
                    f" {VARIABLE} to the URL of a worker for tests"
                )
            shutil.rmtree(folder / "libs", ignore_errors=True)
            shutil.rmtree(plugins, ignore_errors=True)
            _download(folder, plugins)
            complete.write_text(wanted)
    return folder


def _download(folder: Path, plugins: Path) -> None:
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
    for name, version in _PLUGINS.items():
        wanted = f"io.debezium:debezium-connector-{name}:{version}:tar.gz:plugin"
        copy = [*maven, "dependency:copy", f"-Dartifact={wanted}", f"-DoutputDirectory=archive-{name}"]
        subprocess.run(copy, cwd=folder, check=True)
        [archive] = (folder / f"archive-{name}").glob("*.tar.gz")
        with tarfile.open(archive) as found:
            found.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian 12's Python has none
            found.extractall(plugins)
