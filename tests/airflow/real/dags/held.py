"""An operator that waits at its start until the test lets it go on, so that a test can choose the moment."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from airflow_legacy_events.operators.query import IncrementalQueryOperator

GATES = Path(os.environ.get("LEGACY_EVENTS_TEST_GATES", "/nonexistent"))


class HeldOperator(IncrementalQueryOperator):
    """Adds a character to the file `<dag>.<task>.here`, and waits while `<dag>.<task>.closed` exists."""

    def execute(self, context: Any) -> Any:
        gate = GATES / f"{self.dag_id}.{self.task_id}"
        with gate.with_name(f"{gate.name}.here").open("a") as here:
            here.write(".")
        while gate.with_name(f"{gate.name}.closed").exists():
            time.sleep(0.05)
        return super().execute(context)
