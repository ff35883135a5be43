"""A verdict on the completeness of a stream below its horizon."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
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


class Judged(ABC):
    """Writers whose completeness is judged as a whole; see `core.ports.RowWriters`."""

    @property
    def completeness(self) -> str:
        """See `core.ports.RowWriters.completeness`."""
        return self._judged.completeness

    @property
    def reason(self) -> str:
        """See `core.ports.RowWriters.reason`."""
        return self._judged.reason

    @functools.cached_property
    def _judged(self) -> Verdict:
        return self._judgement()

    @abstractmethod
    def _judgement(self) -> Verdict:
        """Return the verdict; called once, when it is needed, since it may query."""
