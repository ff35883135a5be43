"""The figures of the change log: what is demanded beside Debezium, and what is reported beside that."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.benchmarks.budgets import Budget
from tests.benchmarks.case import Result
from tests.benchmarks.changelog import debezium, drains, memory
from tests.benchmarks.rounds import Round

CASES = [*drains.CASES[:1], debezium.CASE, *drains.CASES[1:]]
_PAIR = (drains.DRAIN, debezium.NAME)


def _cpu(found: Result) -> float:
    return found.per_million(found.cpu) or 0.0


BUDGETS = [
    Budget(
        "rows a second, times Debezium's",
        _PAIR,
        lambda one: one[drains.DRAIN].rate / one[debezium.NAME].rate,
        at_least=2.0,
        aim=3.0,
        form="{:.1f}x",
    ),
    Budget(
        "client CPU of that of Debezium's worker",
        _PAIR,
        lambda one: _cpu(one[drains.DRAIN]) / _cpu(one[debezium.NAME]),
        at_least=0.5,
        aim=0.33,
        low=True,
    ),
    *memory.BUDGETS,
]


def sender_cpu(found: Result) -> float | None:
    """CPU seconds of the server's process that sends the log, for a million rows."""
    return found.per_million((found.extra or {}).get("sender"))


def told(rounds: Sequence[Round], *, raw: bool) -> str:
    """Figures that nobody demands."""
    share = "rows a second, of `IncrementalQueryOperator`'s over the same rows"
    rows: dict[str, tuple[str, Callable[[Round], float | None], set[str]]] = {
        share: ("{:.2f}", lambda one: one[drains.DRAIN].rate / one[drains.QUERY].rate, {drains.DRAIN, drains.QUERY}),
        "CPU of the walsender for a million rows": ("{:.1f} s", lambda one: sender_cpu(one[drains.DRAIN]), {_PAIR[0]}),
        "the same, beside Debezium": ("{:.1f} s", lambda one: sender_cpu(one[debezium.NAME]), {_PAIR[1]}),
        "CPU of Debezium's worker for a million rows": ("{:.1f} s", lambda one: _cpu(one[debezium.NAME]), {_PAIR[1]}),
    }
    lines = [f"| reported, not judged | median | {'round by round' if raw else 'least..greatest'} |", "|---|---|---|"]
    for title, (form, figure, cases) in rows.items():
        figures = [found for one in rounds if cases <= one.keys() and (found := figure(one)) is not None]
        if figures:
            write = form.format
            every = " ".join(map(write, figures)) if raw else f"{write(min(figures))}..{write(max(figures))}"
            lines.append(f"| {title} | {write(statistics.median(figures))} | {every} |")
    return "\n".join(lines)
