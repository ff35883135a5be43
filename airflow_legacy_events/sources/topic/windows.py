"""Replay of a window of time: messages whose timestamps lie in it."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.core.model import Window
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.sources.topic.picking import picked
from airflow_legacy_events.sources.topic.positions import milliseconds_of
from airflow_legacy_events.sources.window import moment_of


@dataclass(frozen=True)
class TimeWindow:
    """Window `[low, high)` in milliseconds since 1970-01-01 UTC."""

    low: int
    high: int

    def within(self, received: Received) -> Received:
        """Return the messages of the window. Timestamps need not ascend, so each message is looked at.

        Raises:
            SourceError: one has no timestamp.
        """
        stamps = received.timestamps
        if None in stamps:
            at = list(stamps).index(None)
            raise SourceError(
                f"message {received.name_of(at)} has no timestamp, so a window of time can't be applied.\nRewind the"
                " stream with `airflow legacy-events watermark rewind`, which applies all from an offset on"
            )
        return picked(
            received, [at for at, one in enumerate(stamps) if one is not None and self.low <= one < self.high]
        )


def time_window(window: Window) -> TimeWindow:
    """Return the bounds of a window as moments.

    Raises:
        ConfigurationError: they are no times with an offset, or nothing lies between them.
    """
    low, high = moment_of(window.low), moment_of(window.high)
    if low is None or high is None:
        raise ConfigurationError(
            f"the window {window.shown} is not one of time; nothing was read. A replay of a topic is cut by the"
            " timestamps of its messages.\nGive both bounds as 2026-11-01T00:00:00+00:00"
        )
    if not low < high:
        raise ConfigurationError(f"the window {window.shown} is empty: it must begin below its end; nothing was read")
    return TimeWindow(milliseconds_of(low), milliseconds_of(high))
