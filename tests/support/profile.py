"""How long the proofs of this run are."""

import os
from collections.abc import Sequence
from typing import Any

LONG = os.environ.get("LEGACY_EVENTS_TEST_PROFILE") == "long"
"""Whether proofs run in their long form, as `make proofs` lets them."""

SLOW_SECONDS = 3_600 if LONG else 600
"""What a test may take that starts whole systems, such as an Airflow; all others have the default of 300."""


def some(cases: Sequence[Any], every: int) -> list[Any]:
    """Return all cases in the long form, and each `every`-th in the short one."""
    return [*cases] if LONG else [*cases[::every]]
