"""All cases once, one after the other, in rounds; each finished round is kept, so a run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.case import Case, Result, metered
from tests.benchmarks.processes import ROOT
from tests.benchmarks.world import World
from tests.services.base import cache

Round = dict[str, Result]


class Kept:
    """The finished rounds of one run: of these cases, these rows, this code.

    Attributes:
        lines: a finished round each: `results` by case, `load` before and after, `at`.
    """

    def __init__(self, cases: Sequence[Case], rows: int) -> None:
        asked = json.dumps([[case.name for case in cases], rows, sys.version, _code()])
        self._path = cache("benchmarks") / f"rounds-{hashlib.sha256(asked.encode()).hexdigest()[:12]}.jsonl"
        self.lines: list[dict[str, Any]] = []
        if self._path.exists():
            self.lines = [json.loads(line) for line in self._path.read_text().splitlines()]

    def add(self, line: dict[str, Any]) -> None:
        """Keep a finished round."""
        self.lines.append(line)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def finish(self) -> None:
        """Let the next run begin anew; the figures stay beside."""
        self._path.rename(self._path.with_suffix(f".{time.strftime('%Y%m%dT%H%M%S')}.jsonl"))

    def show_loads(self) -> None:
        """Print when each round was, and the load of the machine around it."""
        for number, line in enumerate(self.lines, 1):
            loads = [" ".join(f"{load:.2f}" for load in loads) for loads in line["load"]]
            print(f"round {number} at {line['at']}: load average before {loads[0]}, after {loads[1]}")

    @property
    def rounds(self) -> list[Round]:
        """The results by case, round by round."""
        return [{name: Result(**found) for name, found in line["results"].items()} for line in self.lines]


def run_rounds(world: World, cases: Sequence[Case], rows: int, rounds: int, kept: Kept) -> None:
    """Run what is missing; the order is turned by one place with each round."""
    for number in range(len(kept.lines), rounds):
        before, results = os.getloadavg(), {}
        turn = number % len(cases)
        for case in [*cases[turn:], *cases[:turn]]:
            found = metered(world, case, rows)
            results[case.name] = found.to_dict()
            print(f"  round {number + 1}/{rounds} {case.name:18} {_told(found)}", file=sys.stderr, flush=True)
        kept.add({"results": results, "load": [before, os.getloadavg()], "at": time.strftime("%Y-%m-%d %H:%M:%S")})


def _told(found: Result) -> str:
    cpu = found.per_million(found.cpu)
    return f"{found.rate:12,.0f} rows/s" + (f" {cpu:8.2f} CPU s/M" if cpu is not None else "")


def _code() -> str:
    """What a change of makes a new run."""
    digest = hashlib.sha256()
    for folder in ("airflow_legacy_events", "tests/benchmarks", "tests/services"):
        for path in sorted(Path(ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".c", ".h", ".sql"}:
                digest.update(path.read_bytes())
    return digest.hexdigest()
