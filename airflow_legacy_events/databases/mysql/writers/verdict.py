"""A verdict on the completeness of a MySQL or MariaDB stream."""

from __future__ import annotations

from typing import NamedTuple

BEST_EFFORT, BOUNDED = "best_effort", "bounded"


class Verdict(NamedTuple):
    """Completeness, and the assumption or known gap behind it."""

    completeness: str
    reason: str


def gap(why: str, way_out: str) -> Verdict:
    """Return the verdict that rows may be missed.

    Args:
        why: the known gap.
        way_out: a sentence, on a line of its own.
    """
    return Verdict(BEST_EFFORT, f"{why}; a row that commits below the watermark may be missed\n{way_out}")
