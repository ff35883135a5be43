"""A real Airflow: api-server, scheduler with LocalExecutor, dag-processor and triggerer, all on PostgreSQL.

Each process has a session of its own and is ended, with what it started, by its process id.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.services.airflow_client import AirflowClient
from tests.services.base import end_with_parent, free_port, wait_until

ROOT = Path(__file__).parents[2]
USER, PASSWORD = "admin", "admin"
# Log servers would listen on every address of the machine; the tests read the files.
COMPONENTS = {
    "api-server": (),
    "dag-processor": (),
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}


class Airflow:
    """One running deployment; its DAGs are the files of `dags`, each paused until a test needs it.

    Args:
        database_url: SQLAlchemy URL of an empty PostgreSQL database.
        dags: folder of the DAG files.
        environment: further settings of every process, and so of every task.
    """

    def __init__(self, database_url: str, dags: Path, environment: Mapping[str, str]) -> None:
        # Removed by whoever started us: logs are worth more than a tidy /tmp while a start fails.
        self._temporary = tempfile.TemporaryDirectory(prefix="legacy-events-real-airflow-")
        self.folder = Path(self._temporary.name)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **self._settings(database_url, dags),
            **environment,
        }
        (self.folder / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process and what it started."""
        family = [one for process in self.processes.values() for one in _family(process.pid)]
        for number in (signal.SIGCONT, signal.SIGTERM):
            _signal(family, number)
        psutil.wait_procs(family, timeout=3)
        for process in self.processes.values():
            family += _family(process.pid)
        _signal(family, signal.SIGKILL)
        for process in self.processes.values():
            process.wait(10)
        self._temporary.cleanup()

    def pause(self, component: str) -> None:
        """Stop a component without its clients noticing: SIGSTOP."""
        _signal(_family(self.processes[component].pid), signal.SIGSTOP)

    def resume(self, component: str) -> None:
        """Let a paused component go on."""
        _signal(_family(self.processes[component].pid), signal.SIGCONT)

    def restart(self, component: str) -> None:
        """End a component as a power cut would, and start it again."""
        family = _family(self.processes[component].pid)
        _signal(family, signal.SIGKILL)
        self.processes[component].wait(10)
        psutil.wait_procs(family, timeout=10)
        self._spawn(component)

    def log(self, component: str) -> str:
        """What a component has said so far."""
        return (self.folder / f"{component}.log").read_text(errors="replace")

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Every try's log of a task, mapped ones too, as it lies in the log folder."""
        folder = self.folder / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*.log")))

    def story(self, run_id: str) -> str:
        """What scheduler and api-server said about a run, to be read when it ended otherwise than expected."""
        return "\n".join(
            line
            for component in ("scheduler", "api-server")
            for line in self.log(component).splitlines()
            if run_id in line or "rror" in line
        )

    def _settings(self, database_url: str, dags: Path) -> dict[str, str]:
        settings = {
            ("core", "dags_folder"): str(dags),
            ("core", "load_examples"): "False",
            ("core", "parallelism"): "8",
            ("core", "max_active_tasks_per_dag"): "8",
            ("core", "executor"): "LocalExecutor",
            ("core", "test_connection"): "Enabled",
            ("core", "dags_are_paused_at_creation"): "True",
            ("core", "fernet_key"): "Y3J5cHRvZ3JhcGh5LW5lZWRzLTMyLWJ5dGVzLWhlcmU=",
            ("core", "simple_auth_manager_users"): f"{USER}:admin",
            ("core", "simple_auth_manager_passwords_file"): str(self.folder / "passwords.json"),
            ("core", "execution_api_server_url"): f"{self.url}/execution/",
            ("database", "sql_alchemy_conn"): database_url,
            ("database", "sql_alchemy_conn_async"): database_url,
            ("api", "port"): str(self.port),
            ("api", "host"): "127.0.0.1",
            ("api", "base_url"): self.url,
            ("api", "secret_key"): uuid.uuid4().hex,
            ("api_auth", "jwt_secret"): "of the tests, long enough for a signature: " + "0123456789" * 3,
            ("dag_processor", "refresh_interval"): "10",
            ("dag_processor", "min_file_process_interval"): "20",
            ("dag_processor", "parsing_processes"): "1",
            ("logging", "base_log_folder"): str(self.folder / "logs"),
            ("scheduler", "enable_health_check"): "False",
            ("scheduler", "parsing_cleanup_interval"): "15",
            ("triggerer", "job_heartbeat_sec"): "2",
            ("triggerer", "triggerer_health_check_threshold"): "10",
            ("usage_data_collection", "enabled"): "False",
        }
        named = {f"AIRFLOW__{section.upper()}__{name.upper()}": value for (section, name), value in settings.items()}
        return {**named, "AIRFLOW_HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def _start(self) -> None:
        migrated = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        if migrated.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{migrated.stderr.decode()[-3000:]}")
        for component in COMPONENTS:
            self._spawn(component)
        wait_until(self._healthy, "a real Airflow being ready", 240)
        self.client = AirflowClient(self.url, USER, PASSWORD)

    def _spawn(self, component: str) -> None:
        with (self.folder / f"{component}.log").open("ab") as log:
            self.processes[component] = subprocess.Popen(
                [sys.executable, "-m", "airflow", component, *COMPONENTS[component]],
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(),  # noqa: PLW1509
            )

    def _healthy(self) -> bool:
        for component, process in self.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{component} ended with {process.returncode}:\n{self.log(component)[-3000:]}")
        try:
            found = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(found[name]["status"] == "healthy" for name in ("scheduler", "dag_processor", "triggerer"))


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(number)
