"""Saves for stores without compare-and-set, and the error when another writer was first."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import encode

_WRITER = ("dag", "task", "run", "person")


class VerifiedSaves:
    """Verifies the stored watermark before each save, because a person may have moved it since the last one.

    A write by someone else in the few milliseconds between check and write goes unnoticed.

    Args:
        read: returns the watermark of a stream.
        write: replaces it by a text.
        glance: returns the stored text more cheaply, None if it is unknown; None: there is no such way.
    """

    def __init__(
        self,
        read: Callable[[str], Watermark | None],
        write: Callable[[str, str], None],
        glance: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._read, self._write, self._glance = read, write, glance

    def save(self, stream: str, new: Watermark, expected: Watermark | None) -> None:
        """Replace `expected` by `new`.

        Raises:
            WatermarkError: the stored watermark differs, or could not be read or written.
        """
        if expected is None or self._glance(stream) != encode(expected):
            found = self._read(stream)
            if found == new:  # an earlier try of this save succeeded, but its answer was lost
                return
            verify(stream, found=found, expected=expected)
        self._write(stream, encode(new))


def verify(stream: str, *, found: Watermark | None, expected: Watermark | None) -> None:
    """Check that `found` is `expected`.

    Raises:
        WatermarkError: another run or person has moved the watermark.
    """
    if found == expected:
        return
    raise WatermarkError(
        f"the watermark of stream {stream!r} is {_described(found)}, but {_described(expected)} was expected: another"
        " run or person has moved it in the meantime, and it was left as found. Look at it with"
        f" {command('show', stream)}; the next run continues from there",
        retry_helps=True,
    )


def _described(mark: Watermark | None) -> str:
    if mark is None:
        return "absent"
    writer = ", ".join(f"{part} {mark.facts[part]!r}" for part in _WRITER if part in mark.facts)
    return f"one by {writer}" if writer else "one by an unknown writer"
