"""What must be reached, as ratios inside one round; a figure is the median over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.rounds import Round

OURS, PLAIN = "postgres-header", "postgres"


@dataclass(frozen=True)
class Budget:
    """One demand.

    Attributes:
        title: for people.
        cases: without one of these it is not judged.
        figure: of one round.
        at_least: the bound.
        aim: what is wished for.
        form: how the figure is written.
        low: whether less is better.
    """

    title: str
    cases: tuple[str, ...]
    figure: Callable[[Round], float]
    at_least: float
    aim: float
    form: str = "{:.2f}"
    low: bool = False

    def kept(self, figure: float, bound: float) -> bool:
        """Whether a figure reaches a bound."""
        return figure <= bound if self.low else figure >= bound


@dataclass(frozen=True)
class Judged:
    """A budget with its figures, round by round."""

    budget: Budget
    figures: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    @property
    def met(self) -> bool:
        return self.budget.kept(self.median, self.budget.at_least)

    @property
    def verdict(self) -> str:
        if self.budget.kept(self.median, self.budget.aim):
            return "aim"
        return "met" if self.met else "MISSED"


def judge(rounds: Sequence[Round], budgets: Sequence[Budget]) -> list[Judged]:
    """Return the budgets whose cases were run."""
    return [
        Judged(budget, tuple(budget.figure(one) for one in rounds))
        for budget in budgets
        if rounds and all(name in rounds[0] for name in budget.cases)
    ]


def _of_floor(ours: str, producer: str) -> Callable[[Round], float]:
    return lambda one: one[ours].rate / min(one["psql-copy"].rate, one[producer].rate)


def _rates(ours: str, other: str) -> Callable[[Round], float]:
    return lambda one: one[ours].rate / one[other].rate


def _floor(title: str, ours: str, producer: str, at_least: float, aim: float) -> Budget:
    return Budget(title, (ours, "psql-copy", producer), _of_floor(ours, producer), at_least, aim)


def _times(title: str, ours: str, other: str, at_least: float, aim: float, form: str = "{:.2f}") -> Budget:
    return Budget(title, (ours, other), _rates(ours, other), at_least, aim, form)


def _cpu(title: str, name: str, at_least: float, aim: float) -> Budget:
    return Budget(title, (name,), lambda one: _cpu_of(one, name), at_least, aim, "{:.2f} s", low=True)


def _cpu_of_bare(title: str, ours: str, bare: str, at_least: float, aim: float) -> Budget:
    """The same bounds as ratios to what such a loop took where they were set: 4.56 s with the header, 3.56 without."""
    return Budget(title, (ours, bare), lambda one: _cpu_of(one, ours) / _cpu_of(one, bare), at_least, aim, low=True)


def _cpu_of(one: Round, name: str) -> float:
    return one[name].per_million(one[name].cpu) or 0.0


def _memory(title: str, name: str) -> Budget:
    return Budget(title, (name,), lambda one: one[name].rss_mb or 0.0, 120, 90, "{:.0f} MB", low=True)


def _poll(database: str) -> Budget:
    """How long the source takes to answer a run's statements; what Python makes of them is told beside."""
    name = f"poll-{database}"
    title = f"quiet poll, {database}, the source's answers"
    return Budget(title, (name,), lambda one: (one[name].extra or {})["source_ms"], 10, 2, "{:.1f} ms", low=True)


def _memories(database: str) -> list[Budget]:
    few, many, ties = (f"memory-{database}-{size}" for size in ("500k", "5m", "ties"))
    return [
        _memory(f"memory beyond Airflow, {database}, 500 k rows", few),
        _memory(f"memory beyond Airflow, {database}, 5 M rows", many),
        _memory(f"memory beyond Airflow, {database}, 2 M equal times", ties),
        Budget(
            f"memory, {database}, 5 M rows against 500 k",
            (many, few),
            lambda one: (one[many].rss_mb or 0.0) / (one[few].rss_mb or 1.0),
            1.1,
            1.0,
            low=True,
        ),
    ]


BUDGETS = [
    _floor("of the slower floor", OURS, "c-producer-header", 0.40, 0.50),
    _floor("of the slower floor, no header", PLAIN, "c-producer", 0.48, 0.60),
    _times("of the C pipeline", OURS, "c-pipeline-header", 0.60, 0.75),
    _times("of the C pipeline, no header", PLAIN, "c-pipeline", 0.60, 0.75),
    _times("times `ProduceToTopicOperator`, asynchronous", OURS, "produce-async", 4, 7, "{:.1f}x"),
    _times("times `ProduceToTopicOperator`, default", OURS, "produce-sync", 40, 100, "{:.0f}x"),
    _cpu("client CPU per million rows", OURS, 6.5, 4.5),
    _cpu("client CPU per million rows, no header", PLAIN, 5.5, 3.5),
    _cpu_of_bare("client CPU of a bare Python loop's", OURS, "bare-header", 1.43, 0.99),
    _cpu_of_bare("client CPU of a bare Python loop's, no header", PLAIN, "bare", 1.54, 0.98),
    *map(_poll, ("postgres", "mariadb")),
    *(budget for name in ("postgres", "mariadb", "sqlite") for budget in _memories(name)),
]
