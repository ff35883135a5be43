"""Levels of completeness, and the least one that a stream accepts."""

from __future__ import annotations

from airflow_legacy_events.core.errors import CompletenessError

LEVELS = ("best_effort", "bounded", "exact")
"""In ascending order; see `core.model.Horizon`."""


def require(stream: str, least: str, reached: str, reason: str) -> None:
    """Check that a run reaches the completeness that its operator requires.

    Args:
        stream: name of the stream, for messages.
        least: the lowest level that is accepted.
        reached: level of the run.
        reason: the assumption or gap behind that level.

    Raises:
        CompletenessError: it is lower.
    """
    if LEVELS.index(reached) < LEVELS.index(least):
        raise CompletenessError(
            f"completeness={least!r} is required of stream {stream!r}, which is {reached!r} here; nothing was read."
            f"\n{reason[:1].upper()}{reason[1:]}"
        )
