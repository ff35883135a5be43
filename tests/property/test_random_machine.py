"""Random steps on tables of all kinds: nothing is lost or stale, or a run says so."""

from __future__ import annotations

import os

import pytest

from tests.machine.machine import Machine
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

PARTS = 20 if LONG else 1
STEPS = 1_000 if LONG else 300
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", "20261129"))


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", [name for name in EACH if name != "firebird"])
def test_each_row_is_the_last_message_of_its_key_or_a_run_says_why_not(request, engine, part):
    with reused_database(request, engine) as legacy:
        outcomes = Machine(legacy, SEED + part).go(STEPS)
    keep_figures(f"random machine, {engine}, seed {SEED + part}, {STEPS} steps: {dict(sorted(outcomes.items()))}")
    assert outcomes["the same"] > STEPS // 10
