"""Measures what horizons cost, in interleaved rounds; the figures are reported and not judged.

Nothing else should work on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import sys
from collections.abc import Callable

from airflow_legacy_events.core import clock_margin
from tests.benchmarks import report
from tests.benchmarks.horizon import writers
from tests.benchmarks.horizon.shop import DATABASES, Shop, seen_writers, shop_of
from tests.support.statements import statements

_FEW = 100
_ONE, _OTHER = "with", "without"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.horizon", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--on", choices=DATABASES, nargs="+", default=list(DATABASES))
    return parser.parse_args()


def counted(shop: Shop, column: str, new: int, *, horizon: bool) -> int:
    """Statements of one run of a session that is open already."""
    with (
        shop.legacy.source(table="orders", watermark_columns=(column,)) as source,
        seen_writers(shop.legacy, seen=horizon),
    ):
        while not (batches := [*source.open(None).batches]):
            """Transactions of others are open."""
        at = batches[-1].after
        source.pending(at)
        shop.add(new)
        return statements(source.database, lambda: [*source.open(at).batches])


def interleaved(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> str:
    """Both, in turn; the medians with the ratio of the medians, and its least and greatest value of a round."""
    found = [(one(), other()) for _ in range(rounds)]
    ratios = [first / second for first, second in found]
    medians = [statistics.median(side) for side in zip(*found, strict=True)]
    return f"{medians[0]:.3g} | {medians[1]:.3g} | {medians[0] / medians[1]:.2f} ({min(ratios):.2f}..{max(ratios):.2f})"


def lines(shop: Shop, rounds: int, rows: int) -> list[str]:
    """All lines of one database."""
    found = []
    for column in ("id", "at"):
        for title, new in (("quiet", 0), ("busy", _FEW)):
            first, second = (counted(shop, column, new, horizon=horizon) for horizon in (True, False))
            found.append(f"| statements of a {title} run by {column} | {first} | {second} | |")
    for column, new in (("id", _FEW), ("at", _FEW), ("id", rows), ("at", rows)):
        stream = shop.stream(column)
        shop.seconds(stream)

        def once(horizon: bool, stream: object = stream, new: int = new) -> float:
            shop.add(new)
            return shop.seconds(stream, horizon=horizon)  # type: ignore[arg-type]

        both = interleaved(rounds, lambda o=once: o(True), lambda o=once: o(False))  # type: ignore[misc]
        found.append(f"| seconds of a run of {new:,} rows by {column} | {both} |")
    if shop.legacy.dialect == "postgresql":
        both = interleaved(rounds, lambda: shop.seconds(shop.stream("xmin")), lambda: shop.seconds(shop.stream(None)))
        found.append(f"| seconds of a first pass by `xmin`, and of a full load | {both} |")
    both = interleaved(rounds, lambda: writers.p99(shop, polls=True), lambda: writers.p99(shop, polls=False))
    return [*found, f"| p99 of a writer's INSERT beside a poll every {writers.EVERY} s, and without, ms | {both} |"]


def main() -> int:
    """Measure and print."""
    asked = arguments()
    clock_margin.CLOCK_MARGIN = dt.timedelta(0)  # rows of this moment are read by both
    print(
        f"{report.machine()}, load average {os.getloadavg()[0]:.1f} at the start, {asked.rounds} interleaved rounds\n"
    )
    for name in asked.on:
        print(f"| {DATABASES[name]} | {_ONE} | {_OTHER} | ratio |\n|---|---|---|---|", flush=True)
        with shop_of(name) as shop:
            print("\n".join(lines(shop, asked.rounds, asked.rows)), flush=True)
        print(flush=True)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
