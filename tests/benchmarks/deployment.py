"""An Airflow for tasks that run as workers run them: supervised, its API server a process of its own."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import processes
from tests.benchmarks.legacy.base import CONN_ID
from tests.benchmarks.processes import ROOT
from tests.services.base import Service, cache, free_port

SPECIFICATION = "LEGACY_EVENTS_BENCHMARK"
_LEGACY = f"AIRFLOW_CONN_{CONN_ID.upper()}"
_START_SECONDS = 120


class Deployment(Service):
    """A metadata database and an API server, started when a task is first run; all tasks share them."""

    name = "benchmark-airflow"

    def run(
        self, bootstrap: str, connection: Mapping[str, Any], specification: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Run the task that `specification` describes as a run of its own; return what it measured, run by run.

        Its log has the level that Airflow gives it by default, unless `log_level` is in the specification.
        """
        results = self.folder / f"{uuid.uuid4().hex}.jsonl"
        environment = {
            **self._started,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": specification.get("log_level", "INFO"),
            _LEGACY: json.dumps(connection),
            "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"conn_type": "kafka", "extra": {"bootstrap.servers": bootstrap}}),
            SPECIFICATION: json.dumps({"results": str(results), **specification}),
        }
        processes.run([sys.executable, "-m", "tests.benchmarks.inside"], environment, ROOT)
        return [json.loads(line) for line in results.read_text().splitlines()]

    def prints(self, connection: Mapping[str, Any], words: Sequence[str]) -> str:
        """Return what a command of Airflow prints."""
        environment = {**self._started, _LEGACY: json.dumps(connection)}
        return processes.run([sys.executable, "-m", "airflow", *words], environment, ROOT).output

    @functools.cached_property
    def _started(self) -> dict[str, str]:
        """The settings of every process, once the API server answers."""
        port = free_port()
        settings = self._settings(port)
        shutil.copyfile(_empty_metadata(self.folder), self.folder / "airflow.db")
        command = [sys.executable, "-m", "airflow", "api-server", "--apps", "execution", "--workers", "1"]
        self.spawn([*command, "--port", str(port)], environment=settings)
        self.wait_ready(functools.partial(_answers, port), _START_SECONDS)
        return settings

    def _settings(self, port: int) -> dict[str, str]:
        return {
            **_settings_of(self.folder),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of the benchmark, long enough for a signature: " + "0123456789" * 3,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",  # each run's DAG is another
            "AIRFLOW__CORE__PARALLELISM": "1",
        }


def _settings_of(home: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONWARNINGS": "ignore",
    }


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/execution/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _empty_metadata(folder: Path) -> Path:
    """A migrated metadata database without content, made once for each version of Airflow."""
    from importlib.metadata import version

    kept = cache("benchmarks") / f"airflow-{version('apache-airflow-core')}.db"
    if not kept.exists():
        home = folder / "empty"
        home.mkdir(exist_ok=True)
        processes.run([sys.executable, "-m", "airflow", "db", "migrate"], _settings_of(home))
        (home / "airflow.db").rename(kept)
    return kept
