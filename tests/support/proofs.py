"""Long forms of the proofs: a run that was interrupted goes on where it stopped.

A plugin for pytest, with or without workers. What has passed for this state of the sources is kept in a file outside
the repository, and the figures that they give in another one, `.figures`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.services.base import cache
from tests.support.profile import LONG

ROOT = Path(__file__).parents[2]


def _state() -> str:
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "airflow_legacy_events").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


STATE = _state()
"""Of the sources when the run began: what is changed meanwhile is not what it proves."""


def _file() -> Path:
    return cache("proofs") / STATE


def _figures() -> Path:
    return cache("proofs") / f"{STATE}.figures"


def keep_figures(line: str) -> None:
    """Keep a line beside what has passed; in the short form it is only shown."""
    print(line)
    if LONG:
        with _figures().open("a") as file:
            file.write(f"{line}\n")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the figures of this state of the sources, and where they are kept."""
    if _figures().exists():
        terminalreporter.section(f"figures, kept in {_figures()}")
        terminalreporter.write(_figures().read_text())


def pytest_configure(config: Any) -> None:
    """Keep what passes in the process that hears of every test."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Keeper())


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out what has passed already."""
    passed = set(_file().read_text().splitlines()) if _file().exists() else set()
    done = [item for item in items if item.nodeid in passed]
    config.hook.pytest_deselected(items=done)
    items[:] = [item for item in items if item.nodeid not in passed]


class _Keeper:
    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed:
            with _file().open("a") as file:
                file.write(f"{report.nodeid}\n")

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:  # nothing was left to be proved
            session.exitstatus = pytest.ExitCode.OK
