"""The demo's own Airflow: its home, its settings, its metadata database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

DAG = Path(__file__).parent / "dags" / "legacy_shop.py"
PASSWORDS = "simple_auth_manager_passwords.json.generated"
"""The file in Airflow's home from which its simple login reads passwords."""


def folder() -> Path:
    """Return the folder with the demo's files."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "airflow-legacy-events" / "demo"


def settings(bootstrap: str) -> dict[str, str]:
    """Return the environment of that Airflow."""
    home = folder()
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAG.parent),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW_CONN_LEGACY_SHOP": json.dumps({"conn_type": "sqlite", "host": str(home / "shop.db")}),
        "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"conn_type": "kafka", "extra": {"bootstrap.servers": bootstrap}}),
    }


def site(port: int) -> dict[str, str]:
    """Return further settings, for an Airflow that serves its user interface on this machine only."""
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
    }


def prepare() -> None:
    """Give the demo a fresh metadata database, migrated once for each version of Airflow and then copied."""
    from airflow import __version__  # noqa: PLC0415  only after the settings are in the environment

    empty = folder() / f"airflow-{__version__}.db"
    database = folder() / "airflow.db"
    if not empty.exists():
        database.unlink(missing_ok=True)
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise SystemExit(f"airflow db migrate failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        database.rename(empty)
    shutil.copyfile(empty, database)
