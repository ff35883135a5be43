"""The figures of the change log: what is demanded beside Debezium, and what is reported beside that."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.benchmarks.budgets import Budget
from tests.benchmarks.case import Result
from tests.benchmarks.changelog import debezium, debezium_mariadb, drains, memory, replication
from tests.benchmarks.rounds import Round

POSTGRES_CASES = [*drains.CASES[:1], debezium.CASE, *drains.CASES[1:]]
MARIADB_CASES = [*drains.BINLOG_CASES[:1], debezium_mariadb.CASE, replication.CASE, *drains.BINLOG_CASES[1:]]
CASES = [*POSTGRES_CASES, *MARIADB_CASES]
_PAIR = (drains.DRAIN, debezium.NAME)
_BINLOG_PAIR = (drains.BINLOG, debezium_mariadb.NAME)


def _cpu(found: Result) -> float:
    return found.per_million(found.cpu) or 0.0


def _faster(title: str, ours: str, theirs: str, at_least: float, aim: float) -> Budget:
    pair = ours, theirs
    return Budget(title, pair, lambda one: one[ours].rate / one[theirs].rate, at_least, aim, form="{:.1f}x")


def _leaner(title: str, ours: str, theirs: str, at_least: float, aim: float) -> Budget:
    return Budget(title, (ours, theirs), lambda one: _cpu(one[ours]) / _cpu(one[theirs]), at_least, aim, low=True)


BUDGETS = [
    _faster("rows a second, times Debezium's", *_PAIR, at_least=2.0, aim=3.0),
    _leaner("client CPU of that of Debezium's worker", *_PAIR, at_least=0.5, aim=0.33),
    _faster("MariaDB, rows a second, times Debezium's", *_BINLOG_PAIR, at_least=1.2, aim=2.0),
    _leaner("MariaDB, client CPU of that of Debezium's worker", *_BINLOG_PAIR, at_least=0.7, aim=0.5),
    _faster("MariaDB, rows a second, times the library's", drains.BINLOG, replication.NAME, at_least=4.0, aim=6.0),
    *memory.BUDGETS,
]


def sender_cpu(found: Result) -> float | None:
    """CPU seconds of the server's process that sends the log, for a million rows."""
    return found.per_million((found.extra or {}).get("sender"))


def told(rounds: Sequence[Round], *, raw: bool) -> str:
    """Figures that nobody demands."""
    rows: dict[str, tuple[str, Callable[[Round], float | None], set[str]]] = {
        **_told("", drains.DRAIN, drains.QUERY, debezium.NAME, "walsender"),
        **_told("MariaDB, ", drains.BINLOG, drains.BINLOG_QUERY, debezium_mariadb.NAME, "server's thread that sends"),
    }
    lines = [f"| reported, not judged | median | {'round by round' if raw else 'least..greatest'} |", "|---|---|---|"]
    for title, (form, figure, cases) in rows.items():
        figures = [found for one in rounds if cases <= one.keys() and (found := figure(one)) is not None]
        if figures:
            write = form.format
            every = " ".join(map(write, figures)) if raw else f"{write(min(figures))}..{write(max(figures))}"
            lines.append(f"| {title} | {write(statistics.median(figures))} | {every} |")
    return "\n".join(lines)


def _told(
    where: str, ours: str, query: str, theirs: str, sender: str
) -> dict[str, tuple[str, Callable[[Round], float | None], set[str]]]:
    share = f"{where}rows a second, of `IncrementalQueryOperator`'s over the same rows"
    return {
        share: ("{:.2f}", lambda one: one[ours].rate / one[query].rate, {ours, query}),
        f"{where}CPU of the {sender} for a million rows": ("{:.1f} s", lambda one: sender_cpu(one[ours]), {ours}),
        f"{where}the same, beside Debezium": ("{:.1f} s", lambda one: sender_cpu(one[theirs]), {theirs}),
        f"{where}CPU of Debezium's worker for a million rows": (
            "{:.1f} s",
            lambda one: _cpu(one[theirs]),
            {theirs},
        ),
    }
