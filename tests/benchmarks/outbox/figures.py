"""The figures of outboxes: one ratio that is demanded, and those that are told beside it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.budgets import Budget
from tests.benchmarks.outbox import drains, inserts, writers
from tests.benchmarks.rounds import Round

CASES = [*drains.CASES, writers.CASE, inserts.CASE]
BUDGETS = [
    Budget(
        "drain, PostgreSQL, of `IncrementalQueryOperator`'s rate",
        (drains.DRAIN, drains.QUERY),
        lambda one: one[drains.DRAIN].rate / one[drains.QUERY].rate,
        at_least=0.5,
        aim=0.75,
    )
]
_RATIOS = {
    "each row by a transaction of its own, of the same": (drains.SINGLES, drains.QUERY),
    "`mark`, of the same": (drains.MARK, drains.QUERY),
    "drain, MariaDB, of `IncrementalQueryOperator`'s rate there": (drains.MARIADB_DRAIN, drains.MARIADB_QUERY),
}


def ratio_table(rounds: Sequence[Round], *, raw: bool) -> str:
    """Ratios that nobody demands."""
    lines = [f"| reported, not judged | median | {'round by round' if raw else 'least..greatest'} |", "|---|---|---|"]
    for title, (one, other) in _RATIOS.items():
        figures = [found[one].rate / found[other].rate for found in rounds if {one, other} <= found.keys()]
        if figures:
            lines.append(f"| {title} | {_row(figures, '{:.2f}', raw=raw)} |")
    return "\n".join(lines)


def waiting_table(rounds: Sequence[Round], *, raw: bool) -> str:
    """What the application waits for."""
    rows = {
        **{
            f"an insert of one of {writers.WRITERS} writers, {when}, {cut}": (
                "ms",
                _of(rounds, writers.CASE.name, key, cut),
            )
            for key, when in (("alone", "no drain"), ("beside", "beside a drain"))
            for cut in ("p50", "p99")
        },
        "a transaction with an insert": ("µs", _of(rounds, inserts.CASE.name, "alone")),
        "with a row of the outbox beside it": ("µs", _of(rounds, inserts.CASE.name, "beside")),
        "with the printed trigger": ("µs", _of(rounds, inserts.CASE.name, "trigger")),
    }
    lines = [f"| the application waits | median | {'round by round' if raw else 'least..greatest'} |", "|---|---|---|"]
    for title, (unit, figures) in rows.items():
        if figures:
            lines.append(f"| {title} | {_row(figures, '{:.2f} ms' if unit == 'ms' else '{:.0f} µs', raw=raw)} |")
    return "\n".join(lines)


def _of(rounds: Sequence[Round], case: str, *path: str) -> list[float]:
    found: list[Any] = [one[case].extra for one in rounds if case in one]
    for part in path:
        found = [one[part] for one in found]
    return found


def _row(figures: Sequence[float], form: str, *, raw: bool) -> str:
    every = " ".join(map(form.format, figures)) if raw else f"{form.format(min(figures))}..{form.format(max(figures))}"
    return f"{form.format(statistics.median(figures))} | {every}"
