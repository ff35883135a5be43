"""python-mysql-replication over the same binlog, into the producer that ours has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks import processes
from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog.binlog_tables import LIBRARY
from tests.benchmarks.changelog.drains import prepare
from tests.benchmarks.changelog.world import MARIADB, LogWorld
from tests.services.base import alone, cache

NAME, _VERSION = "binlog-library", "1.0.17"


def stream(world: LogWorld, rows: int) -> Result:
    """The same rows as CloudEvents; its clock begins before it connects and ends when everything is confirmed."""
    logged, topic = world.logged(MARIADB), world.topics.make()
    table = logged.written
    asked = {
        "connection": table.connection,
        "table": table.name,
        "gtid": logged.gtid,
        "rows": rows,
        "bootstrap": world.kafka.bootstrap,
        "topic": topic,
    }
    paths = os.pathsep.join([str(_library()), str(processes.ROOT)])
    command = [sys.executable, "-m", "tests.benchmarks.changelog.replication_child", json.dumps(asked)]
    ended = processes.run(command, {"PYTHONPATH": paths})
    counted(world, topic, rows)
    found = json.loads(ended.output)
    return Result(rows, found["seconds"], found["cpu"])


def _library() -> Path:
    """Return the folder of the library, installed once beside the environment: the package doesn't need it."""
    folder = cache(f"mysql-replication-{_VERSION}")
    with alone(folder):
        if not (folder / ".complete").exists():
            wanted = f"mysql-replication=={_VERSION}"
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, wanted]
            subprocess.run(list(map(str, pip)), check=True)
            (folder / ".complete").touch()
    return folder


CASE = Case(NAME, f"`{LIBRARY}` {_VERSION}", stream, MARIADB, partial(prepare, reader=LIBRARY, on=MARIADB))
