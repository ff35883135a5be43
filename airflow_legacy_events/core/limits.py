"""Limits of a run: rows, seconds, rows per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.stop import Stop

MAX_ROW_BYTES = 16 * 2**20
"""Maximum raw size of a row unless the user allows more: neither messages nor memory suit larger ones."""
LONGEST_BATCH_SECONDS = 2.0
"""Maximum duration of a batch at `rows_per_second`: a stop request has to wait for the end of a batch."""


@dataclass(frozen=True)
class Limits:
    """The budgets of one run.

    Attributes:
        batch_rows: maximum of rows that are confirmed together.
        max_rows: rows after which the run ends, whether or not its target is reached.
        max_seconds: seconds after which no new batch is taken.
        rows_per_second: maximum mean rate.

    Raises:
        ConfigurationError: a bound is not positive.
    """

    batch_rows: int = 10_000
    max_rows: int | None = None
    max_seconds: float | None = None
    rows_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("batch_rows", "max_rows", "max_seconds", "rows_per_second"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigurationError(f"{name} must be above 0, got {value!r}")

    @property
    def page_rows(self) -> int:
        """Rows of one batch at `rows_per_second`, at least 1."""
        if self.rows_per_second is None:
            return self.batch_rows
        return max(1, min(self.batch_rows, int(self.rows_per_second * LONGEST_BATCH_SECONDS)))


class Pace:
    """Throttle: keeps a run at `rows_per_second`, and knows when `max_seconds` have passed."""

    def __init__(self, limits: Limits, stop: Stop, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._stop, self._clock = limits, stop, clock
        self._started = clock()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._started

    @property
    def over(self) -> bool:
        """Whether no new batch may be taken because of `max_seconds`."""
        return self._limits.max_seconds is not None and self.seconds >= self._limits.max_seconds

    def keep(self, rows: int) -> None:
        """Sleep until `rows` rows since the start are within the rate, or a stop is requested."""
        if self._limits.rows_per_second is not None:
            self._stop.wait(rows / self._limits.rows_per_second - self.seconds)
