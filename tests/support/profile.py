"""How long the proofs of this run are."""

import os
from collections.abc import Sequence
from typing import Any

LONG = os.environ.get("LEGACY_EVENTS_TEST_PROFILE") == "long"
"""Whether proofs run in their long form, as `make proofs` lets them."""


def some(cases: Sequence[Any], every: int) -> list[Any]:
    """Return all cases in the long form, and each `every`-th in the short one."""
    return [*cases] if LONG else [*cases[::every]]
