"""Measures the way back beside COPY and Debezium's JDBC sink in interleaved rounds, and judges it.

Nothing else should work on the machine meanwhile. An interrupted run goes on with its next round.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.benchmarks import budgets, report
from tests.benchmarks.case import Case, metered
from tests.benchmarks.rounds import Kept, run_rounds
from tests.benchmarks.sink import cases
from tests.benchmarks.sink.world import SinkWorld

_WARM_UP_ROWS = 50_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sink", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only cases whose name holds one of these words")
    parser.add_argument("--memory", action="store_true", help="instead: memory of 200 k and 1 M messages")
    parser.add_argument("--write", action="store_true", help="write the tables into the page of the documentation")
    parser.add_argument("--no-gate", action="store_true", help="exit 0 also where what is demanded is missed")
    return parser.parse_args()


def measure(asked: argparse.Namespace, chosen: Sequence[Case]) -> tuple[Kept, str]:
    """Run the rounds; return them with a line about where that was."""
    kept = Kept(chosen, asked.rows)
    world = SinkWorld()
    try:
        if len(kept.lines) < asked.rounds:
            for case in chosen if not asked.memory else ():  # lets Java compile what it will run
                metered(world, case, min(_WARM_UP_ROWS, asked.rows))
            run_rounds(world, chosen, asked.rows, asked.rounds, kept)
        titles = " and ".join(world.legacy(one).title for one in sorted({str(case.database) for case in chosen}))
        return kept, f"{report.machine()}, Kafka 4.3, {titles}, all on one machine"
    finally:
        world.stop()


def show(asked: argparse.Namespace, kept: Kept, chosen: Sequence[Case], measured_at: str) -> bool:
    """Print everything; return whether what is demanded is met."""
    rounds, judged = kept.rounds, budgets.judge(kept.rounds, cases.BUDGETS)
    what = "Messages of nine columns" if asked.memory else f"{asked.rows:,} messages of nine columns"
    parts = [f"{what}, medians of {len(rounds)} interleaved rounds; {measured_at}."]
    parts += [report.case_table(chosen, rounds), report.budget_table(judged, raw=False)]
    if asked.write:
        report.write_page(parts, "sink-memory" if asked.memory else "sink")
    print("\n\n".join([*parts, "Round by round:", report.budget_table(judged, raw=True)]))
    kept.show_loads()
    return all(one.met for one in judged)


def main() -> int:
    """Measure, show, judge."""
    asked = arguments()
    every = cases.MEMORY_CASES if asked.memory else cases.CASES
    chosen = [one for one in every if asked.only is None or any(word in one.name for word in asked.only)]
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    kept, measured_at = measure(asked, chosen)
    met = show(asked, kept, chosen, measured_at)
    kept.finish()
    return 0 if met or asked.no_gate else 1


if __name__ == "__main__":
    sys.exit(main())
