"""The demo, as a person runs it who has nothing but the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys


def test_the_demo_sends_the_table_then_what_changed_and_is_plain_where_it_is_piped(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW", "PYTEST"))}
    environment = {**kept, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "airflow_legacy_events.cli.demo"]
    shown = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=300, check=True).stdout
    assert "\033" not in shown
    assert re.findall(r"([\d,]+) rows, ([\d,]+) events acknowledged", shown) == [("5000", "5000"), ("3", "3")]
    sent = re.findall(r"^ +(\d+) +(?:\S+) +(\w+) +(\w+) +\1@", shown, re.MULTILINE)
    assert sent == [("17", "refunded", "refunded"), ("4711", "returned", "returned"), ("5001", "new", "new")]
    assert len(shown.splitlines()) < 30
