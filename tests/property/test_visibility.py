"""Sessions that write, prepare and commit in random order beside the runs: nothing is missing in the end."""

from __future__ import annotations

import os

import pytest

from tests.machine.visibility.machine import VisibilityMachine
from tests.support.legacy import reused_database
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

PARTS, STEPS = (int(os.environ.get("LEGACY_EVENTS_TEST_PARTS", "10")), 1_000) if LONG else (1, 1_500)
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", "20261130"))
ENGINES = ("postgresql-18", "postgresql-15", "mysql-9.7", "mariadb-10.11")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", ENGINES)
def test_the_topic_equals_the_table_once_all_have_committed(request, engine, part):
    with reused_database(request, engine) as legacy:
        outcomes = VisibilityMachine(legacy, SEED + part).go(STEPS)
    keep_figures(f"visibility machine, {engine}, seed {SEED + part}, {STEPS} steps: {dict(sorted(outcomes.items()))}")
    assert outcomes["held back"] > 0
    assert outcomes["prepare"] > 0
