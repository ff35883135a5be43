"""An Airflow of the demo's own: its home, its settings, its metadata database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def folder() -> Path:
    """Where the demo keeps its files."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "airflow-legacy-events" / "demo"


def settings(bootstrap: str) -> dict[str, str]:
    """The environment of that Airflow."""
    home = folder()
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW_CONN_LEGACY_SHOP": json.dumps({"conn_type": "sqlite", "host": str(home / "shop.db")}),
        "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"conn_type": "kafka", "extra": {"bootstrap.servers": bootstrap}}),
    }


def prepare() -> None:
    """Give the demo a fresh metadata database; it is migrated once for each version of Airflow, then copied."""
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
