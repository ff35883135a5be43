"""What a store says when a watermark is not the one that was expected."""

from __future__ import annotations

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark

_WRITER = ("dag", "task", "run", "person")


def verify(stream: str, *, found: Watermark | None, expected: Watermark | None) -> None:
    """Return when `found` is `expected`.

    Raises:
        WatermarkError: somebody else has moved the watermark.
    """
    if found == expected:
        return
    raise WatermarkError(
        f"the watermark of stream {stream!r} is {_described(found)}, where {_described(expected)} was expected: another"
        f" run or person has moved it meanwhile, and it was left as found. Look at it with {command('show', stream)};"
        " the next run goes on from there",
        retry_helps=True,
    )


def _described(mark: Watermark | None) -> str:
    if mark is None:
        return "absent"
    writer = ", ".join(f"{part} {mark.facts[part]!r}" for part in _WRITER if part in mark.facts)
    return f"one by {writer}" if writer else "one by an unknown writer"
