"""Measures the change logs beside Debezium in interleaved rounds on a real broker and real servers, and judges them.

Nothing else should work on the machine meanwhile. An interrupted run goes on with its next round.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.benchmarks import budgets, report
from tests.benchmarks.case import Case, metered
from tests.benchmarks.changelog import delay, figures, memory
from tests.benchmarks.changelog.world import LOGGED, MARIADB, LogWorld
from tests.benchmarks.rounds import Kept, Round, run_rounds

_WARM_UP_ROWS = 300_000
_SERVERS = {"postgresql": LOGGED, "mariadb": MARIADB}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.changelog", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--on", nargs="+", choices=_SERVERS, default=[*_SERVERS], help="only the logs of these servers")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only cases whose name holds one of these words")
    parser.add_argument("--memory", action="store_true", help="instead: memory of transactions of 100 k and 1 M rows")
    parser.add_argument("--long", action="store_true", help="with --memory: also one of 5 M rows")
    parser.add_argument("--no-delay", action="store_true", help="without the time from a row to its topic")
    parser.add_argument("--write", action="store_true", help="write the tables into the page of the documentation")
    parser.add_argument("--no-gate", action="store_true", help="exit 0 also where what is demanded is missed")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    return parser.parse_args()


def measure(asked: argparse.Namespace, cases: Sequence[Case]) -> tuple[Kept, Sequence[float], str]:
    """Run the rounds, then the delays; return both with a line about where that was."""
    kept = Kept(cases, asked.rows)
    world = LogWorld()
    try:
        if len(kept.lines) < asked.rounds:
            for case in [] if asked.memory else cases:  # lets Java compile what it will run
                metered(world, case, min(_WARM_UP_ROWS, asked.rows))
            run_rounds(world, cases, asked.rows, asked.rounds, kept)
        servers = sorted({str(case.database) for case in cases})
        waited = [] if asked.no_delay or asked.memory or LOGGED not in servers else delay.measure(world)
        titles = " and ".join(world.legacy(one).title for one in servers)
        return kept, waited, f"{report.machine()}, Kafka 4.3, {titles}, all on one machine"
    finally:
        world.stop()


def show(asked: argparse.Namespace, kept: Kept, waited: Sequence[float], measured_at: str) -> bool:
    """Print everything; return whether what is demanded is met."""
    rounds, judged = kept.rounds, budgets.judge(kept.rounds, figures.BUDGETS)
    many = f"{len(rounds)} interleaved rounds" if len(rounds) > 1 else "one round"
    what = "Rows of nine columns" if asked.memory else f"{asked.rows:,} rows of nine columns in transactions of 1,000"
    cases = memory.LONG_CASES if asked.memory else figures.CASES
    parts = [f"{what}, medians of {many}; {measured_at}.", report.case_table(cases, rounds)]
    parts += _tables(rounds, judged, raw=False)
    parts += [delay.table(waited)] if waited else []
    if asked.write:
        alone = ["-mariadb"] if asked.on == ["mariadb"] else []
        report.write_page(parts, "".join(["changelog", *alone, *(["-memory"] if asked.memory else [])]))
    print("\n\n".join([*parts, "Round by round:", *_tables(rounds, judged, raw=True)]))
    kept.show_loads()
    return all(one.met for one in judged)


def _tables(rounds: Sequence[Round], judged: Sequence[budgets.Judged], *, raw: bool) -> list[str]:
    told = figures.told(rounds, raw=raw)
    return [report.budget_table(judged, raw=raw), *([told] if told.count("\n") > 1 else [])]


def main() -> int:
    """Measure, show, judge."""
    asked = arguments()
    every = (memory.LONG_CASES if asked.long else memory.CASES) if asked.memory else figures.CASES
    servers = [_SERVERS[one] for one in asked.on]
    every = [one for one in every if one.database in servers]
    cases = [one for one in every if asked.only is None or any(word in one.name for word in asked.only)]
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
