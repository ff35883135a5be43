"""Measures everything in one interleaved run on a real broker and real databases, and judges it.

Nothing else should work on the machine meanwhile. An interrupted run goes on with its next round.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.benchmarks import budgets, equality, floors, memory, operators, prices, report
from tests.benchmarks.case import Case
from tests.benchmarks.rounds import Kept, run_rounds
from tests.benchmarks.world import World

MAIN = [*floors.CASES, *operators.CASES]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only cases whose name holds one of these words")
    parser.add_argument("--memory", action="store_true", help="instead: memory at 500 k and 5 M rows and 2 M ties")
    parser.add_argument("--prices", action="store_true", help="instead: what single features cost")
    parser.add_argument("--write", action="store_true", help="write the tables into the page of the documentation")
    parser.add_argument("--no-gate", action="store_true", help="exit 0 also where a budget is missed")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> list[Case]:
    """The cases of the interleaved rounds."""
    cases = memory.CASES if asked.memory else [*MAIN, *operators.POLL_CASES]
    return [case for case in cases if asked.only is None or any(word in case.name for word in asked.only)]


def measure(asked: argparse.Namespace, cases: Sequence[Case]) -> tuple[Kept, str]:
    """Run the rounds; return them with a line about where that was."""
    kept = Kept(cases, asked.rows)
    world = World()
    try:
        if len(kept.lines) < asked.rounds:
            if any(case in floors.CASES for case in cases):
                equality.prove(world, asked.rows)
                equality.warm_up(world, asked.rows)
            run_rounds(world, cases, asked.rows, asked.rounds, kept)
        return kept, where(world)
    finally:
        world.stop()


def where(world: World) -> str:
    """One line about where it was measured."""
    return f"{report.machine()}, Kafka 4.3, {world.legacy('postgres').title}, all on one machine"


def show(asked: argparse.Namespace, cases: Sequence[Case], kept: Kept, measured_at: str) -> bool:
    """Print everything; return whether every budget that was judged is met."""
    rounds = kept.rounds
    judged = budgets.judge(rounds, budgets.BUDGETS)
    moving = [case for case in cases if case not in operators.POLL_CASES]
    polls = [case for case in cases if case in operators.POLL_CASES]
    many = f"{len(rounds)} interleaved rounds" if len(rounds) > 1 else "one round"
    head = f"{'Rows' if asked.memory else f'{asked.rows:,} rows'} of nine columns, medians of {many}; {measured_at}."
    # The servers' CPU beside memory would be that of loading five million rows.
    parts = [
        head,
        *([] if asked.memory else [report.case_table(moving, rounds)]),
        report.budget_table(judged, raw=False),
    ]
    parts += [report.poll_table(polls, rounds)] if polls else []
    if asked.write:
        report.write_page(parts, "memory" if asked.memory else "benchmark")
    print("\n\n".join([*parts, "Round by round:", report.budget_table(judged, raw=True)]))
    kept.show_loads()
    return all(one.met for one in judged)


def show_prices(*, readme: bool) -> None:
    """Measure what single features cost, and print it."""
    world = World()
    try:
        head = f"{prices.ROWS:,} rows, medians of {prices.ROUNDS} runs; {where(world)}."
        parts = [head, prices.table(world)]
    finally:
        world.stop()
    if readme:
        report.write_page(parts, "prices")
    print("\n\n".join(parts))


def main() -> int:
    """Measure, show, judge."""
    asked = arguments()
    cases = chosen(asked)
    if asked.list or not cases:
        print("\n".join(f"{case.name:24} {case.title}" for case in cases) or "no case has such a name")
        return 0 if cases else 2
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    if asked.prices:
        show_prices(readme=asked.write)
        return 0
    kept, measured_at = measure(asked, cases)
    met = show(asked, cases, kept, measured_at)
    kept.finish()
    return 0 if met or asked.no_gate else 1


if __name__ == "__main__":
    sys.exit(main())
