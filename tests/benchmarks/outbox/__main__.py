"""Measures drains of outboxes in interleaved rounds on real databases and a real broker, and judges one ratio.

Nothing else should work on the machine meanwhile. An interrupted run goes on with its next round.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from tests.benchmarks import budgets, report
from tests.benchmarks.case import Case
from tests.benchmarks.outbox import drains, figures, latency
from tests.benchmarks.rounds import Kept, Round, run_rounds
from tests.benchmarks.world import World

_DATABASES = ("postgres18", "mariadb11")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.outbox", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only cases whose name holds one of these words")
    parser.add_argument("--no-latency", action="store_true", help="without the time from a row to its topic")
    parser.add_argument("--write", action="store_true", help="write the tables into the page of the documentation")
    parser.add_argument("--no-gate", action="store_true", help="exit 0 also where what is demanded is missed")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    return parser.parse_args()


def measure(asked: argparse.Namespace, cases: Sequence[Case]) -> tuple[Kept, Mapping[str, Sequence[float]], str]:
    """Run the rounds, then what needs a whole Airflow; return both with a line about where that was."""
    kept = Kept(cases, asked.rows)
    world = World()
    try:
        if len(kept.lines) < asked.rounds:
            drains.warm_up(world)
            run_rounds(world, cases, asked.rows, asked.rounds, kept)
        waited = {} if asked.no_latency else latency.measure(world)
        titles = ", ".join(world.outboxes(name).title for name in _DATABASES)
        return kept, waited, f"{report.machine()}, Kafka 4.3, {titles}, all on one machine"
    finally:
        world.stop()


def show(asked: argparse.Namespace, kept: Kept, waited: Mapping[str, Sequence[float]], measured_at: str) -> bool:
    """Print everything; return whether what is demanded is met."""
    rounds, judged = kept.rounds, budgets.judge(kept.rounds, figures.BUDGETS)
    many = f"{len(rounds)} interleaved rounds" if len(rounds) > 1 else "one round"
    head = f"{asked.rows:,} rows with a payload of 320 bytes, medians of {many}; {measured_at}."
    parts = [head, report.case_table(drains.CASES, rounds), *_tables(rounds, judged, raw=False)]
    parts += [latency.table(waited)] if waited else []
    if asked.write:
        report.write_page(parts, "outbox", report.OUTBOX_PAGE)
    print("\n\n".join([*parts, "Round by round:", *_tables(rounds, judged, raw=True)]))
    kept.show_loads()
    return all(one.met for one in judged)


def _tables(rounds: Sequence[Round], judged: Sequence[budgets.Judged], *, raw: bool) -> list[str]:
    tables = figures.ratio_table(rounds, raw=raw), figures.waiting_table(rounds, raw=raw)
    return [report.budget_table(judged, raw=raw), *tables]


def main() -> int:
    """Measure, show, judge."""
    asked = arguments()
    cases = [one for one in figures.CASES if asked.only is None or any(word in one.name for word in asked.only)]
    if asked.list or not cases:
        print("\n".join(f"{case.name:24} {case.title}" for case in cases) or "no case has such a name")
        return 0 if cases else 2
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    kept, waited, measured_at = measure(asked, cases)
    met = show(asked, kept, waited, measured_at)
    kept.finish()
    return 0 if met or asked.no_gate else 1


if __name__ == "__main__":
    sys.exit(main())
