"""The child: runs the benchmark's DAG, its task supervised as on a worker, or as often as asked in this process."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.benchmarks.deployment import SPECIFICATION


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(Path(__file__).parent / "dags" / "benchmark.py"))
    if bag.import_errors:
        sys.exit("\n".join(bag.import_errors.values()))
    specification = json.loads(os.environ[SPECIFICATION])
    runs, every = specification.get("runs_in_process"), specification.get("every_seconds", 0.0)
    due = time.monotonic()
    for _ in range(runs or 1):
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + every, time.monotonic())
        ended = bag.dags["benchmark"].test(use_executor=runs is None)
        if str(ended.state) != "success":
            sys.exit(f"the task ended as {ended.state}")


if __name__ == "__main__":
    main()
