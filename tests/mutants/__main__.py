"""Takes each rule out of a copy of the tree, runs its tests there, and prints which of them turned red.

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
import time
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
        done = _run(rule, tree)
    finally:
        rule.path(tree).write_text(before)
    found = _RED.search(done.stdout)
    if done.returncode == 1 and found:
        return True, found[1]
    return False, f"exit code {done.returncode}: {' '.join(done.stdout.split()[-12:])}"


def _run(rule: Rule, tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rf", "-p", "no:cacheprovider", "--tb=no"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = [f"tests/{one}" for one in rule.tests]
    options = {"cwd": tree, "env": environment, "timeout": _SECONDS, "capture_output": True, "text": True}
    return subprocess.run([*command, *tests], check=False, **options)  # type: ignore[call-overload,no-any-return]


if __name__ == "__main__":
    sys.exit(main())
