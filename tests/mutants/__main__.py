"""Takes each rule out of a copy of the tree, runs its tests there, and prints which of them turned red.

All cases are run once as the tree is; they must be green.

A rule without which its tests stay green is a survivor; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.rule import ROOT, Rule
from tests.mutants.table import RULES

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "__pycache__", "site", "dist", "build", ".*_cache")
_RED = re.compile(r"^FAILED tests/(\S+)", re.MULTILINE)
_SECONDS = 600


def main() -> int:
    """Run the mutants; return 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="only rules whose name or file holds one of these")
    words = parser.parse_args().only
    rules = [one for one in RULES if words is None or any(word in f"{one.name} {one.file}" for word in words)]
    print("| rule | file | case | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="legacy-events-mutants-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT)
        cases = dict.fromkeys(case for rule in rules for case in rule.tests)
        code, printed = _run(cases, tree)
        if code:
            print(f"the cases are red without a mutant:\n{printed}")
            return 1
        survivors = sum(not _shown(rule, tree) for rule in rules)
    print(f"\n{len(rules)} rules, {survivors} survivors")
    return 1 if survivors or not rules else 0


def _shown(rule: Rule, tree: Path) -> bool:
    """Run one mutant and print its line; return whether a test turned red."""
    started = time.monotonic()
    red, said = killed(rule, tree)
    result = "red" if red else "SURVIVES"
    print(f"| {rule.name} | `{rule.file}` | `{said}` | {result}, {time.monotonic() - started:.0f} s |", flush=True)
    return red


def killed(rule: Rule, tree: Path) -> tuple[bool, str]:
    """Take a rule out of a tree, run its tests, put it back; return whether one failed, and which."""
    before = rule.apply(tree)
    try:
        code, printed = _run(rule.tests, tree)
    finally:
        rule.path(tree).write_text(before)
    found = _RED.search(printed)
    if code == 1 and found:
        return True, found[1]
    return False, f"exit code {code}: {' '.join(printed.split()[-12:])}"


def _run(tests: Iterable[str], tree: Path) -> tuple[int, str]:
    """Run tests in a tree; return the exit code, and what was printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rf", "-p", "no:cacheprovider", "--tb=no"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [*command, *(f"tests/{one}" for one in tests)]
    with subprocess.Popen(words, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True) as process:
        over = threading.Timer(_SECONDS, process.kill)
        over.start()
        assert process.stdout is not None
        printed = process.stdout.read()
        over.cancel()
    return process.returncode, printed


if __name__ == "__main__":
    sys.exit(main())
