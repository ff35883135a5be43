"""The figures as Markdown: what a person reads, and what the documentation shows."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.budgets import Judged
from tests.benchmarks.case import Case, Result
from tests.benchmarks.processes import ROOT
from tests.benchmarks.rounds import Round

Figures = Callable[[Result], float | None]

PAGE = ROOT / "docs" / "development" / "performance.md"
OUTBOX_PAGE = ROOT / "docs" / "guides" / "outbox" / "speed.md"
_COMMANDS = {
    "benchmark": "make bench",
    "memory": "make bench MEMORY=1",
    "prices": "make bench PRICES=1",
    "outbox": "make bench OUTBOX=1",
    "changelog": "make bench CHANGELOG=1 ON=postgresql",
    "changelog-memory": "make bench CHANGELOG=1 MEMORY=1 ON=postgresql",
    "changelog-mariadb": "make bench CHANGELOG=1 ON=mariadb",
    "sink": "make bench SINK=1",
    "sink-memory": "make bench SINK=1 MEMORY=1",
    "changelog-mariadb-memory": "make bench CHANGELOG=1 MEMORY=1 ON=mariadb",
}


def machine() -> str:
    """One line about where it was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} CPUs ({model}), Python {platform.python_version()}"


def case_table(cases: Sequence[Case], rounds: Sequence[Round]) -> str:
    """Medians with the least and the greatest."""
    lines = [
        "| case | rows | rows/s | client CPU s/M | server CPU s/M: broker, database | memory MB |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases:
        found = [one[case.name] for one in rounds if case.name in one]
        if not found:
            continue
        servers = ", ".join(
            _spread(found, figure, "{:.1f}", ends=False)
            for figure in (lambda one: one.per_million(one.broker_cpu), lambda one: one.per_million(one.database_cpu))
        )
        cells = [
            case.title,
            f"{found[0].rows:,}",
            _spread(found, lambda one: one.rate, "{:,.0f}"),
            _spread(found, lambda one: one.per_million(one.cpu), "{:.2f}"),
            servers,
            _spread(found, lambda one: one.rss_mb, "{:.0f}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def poll_table(cases: Sequence[Case], rounds: Sequence[Round]) -> str:
    """Milliseconds of a poll that finds nothing."""
    titles = ["case", "the source's answers", "a bare session", "the server's CPU", "in the database's calls", "relay"]
    titles += ["`execute`", "CPU", "by call"]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for case in cases:
        extras: list[dict[str, Any]] = [one[case.name].extra or {} for one in rounds if case.name in one]
        if extras:
            names = ("source_ms", "session_ms", "server_ms", "inside_ms", "relay_ms", "execute_ms", "cpu_ms")
            medians = [statistics.median(extra[name] or 0.0 for extra in extras) for name in names]
            cells = [f"{median:.1f} ms" if median else "-" for median in medians]
            calls = ", ".join(f"{name} {value:.1f}" for name, value in extras[-1]["calls_ms"].items() if value >= 0.05)
            lines.append(f"| {' | '.join([case.title, *cells, calls])} |")
    return "\n".join(lines)


def budget_table(judged: Sequence[Judged], *, raw: bool) -> str:
    """Medians beside what was demanded."""
    lines = ["| ours | median | least..greatest | at least | aim | |", "|---|---|---|---|---|---|"]
    for one in judged:
        write = one.budget.form.format
        ends = f"{write(min(one.figures))}..{write(max(one.figures))}"
        every = " ".join(map(write, one.figures)) if raw else ends
        cells = [
            one.budget.title,
            write(one.median),
            every,
            write(one.budget.at_least),
            write(one.budget.aim),
            one.verdict,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_page(parts: Sequence[str], block: str, path: Path = PAGE) -> None:
    """Replace what is between the markers of a block."""
    begin, end = f"<!-- {block} -->", f"<!-- /{block} -->"
    before, _, rest = path.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path} has no place for the table: {begin} and {end} were not found")
    text = "\n\n".join([*parts, f"`{_COMMANDS[block]}` measures it again."])
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _spread(found: Sequence[Result], figure: Figures, form: str, *, ends: bool = True) -> str:
    values = [value for value in map(figure, found) if value is not None]
    if not values:
        return "-"
    middle = form.format(statistics.median(values))
    return f"{middle} ({form.format(min(values))}..{form.format(max(values))})" if ends and len(values) > 1 else middle
