"""The child: runs the benchmark's DAG as often as asked, in one process, as `dag.test()` does."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.benchmarks.world import SPECIFICATION


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(Path(__file__).parent / "dags" / "benchmark.py"))
    if bag.import_errors:
        sys.exit("\n".join(bag.import_errors.values()))
    for _ in range(json.loads(os.environ[SPECIFICATION]).get("runs", 1)):
        ended = bag.dags["benchmark"].test()
        if str(ended.state) != "success":
            sys.exit(f"the task ended as {ended.state}")


if __name__ == "__main__":
    main()
