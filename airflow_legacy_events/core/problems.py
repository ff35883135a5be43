"""Problems of several checks, reported in one error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, StoppedError


class Problems:
    """Collects the errors of several checks; a failed check doesn't hide the next one's error.

    Attributes:
        found: so far, in the order of the checks.
    """

    def __init__(self) -> None:
        self.found: list[LegacyEventsError] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Collect a `LegacyEventsError` instead of raising it; a stop and all other errors are raised."""
        try:
            yield
        except StoppedError:
            raise
        except LegacyEventsError as error:
            self.found += getattr(error, "problems", [error])

    def raise_found(self) -> None:
        """Raise what was found, if anything.

        Raises:
            LegacyEventsError: the only problem itself, else one error that lists them all; its attribute `problems`
                holds each.
        """
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise _together(self.found)


def _together(found: Sequence[LegacyEventsError]) -> LegacyEventsError:
    listed = "".join(f"\n{number}. {error}" for number, error in enumerate(found, 1))
    kind = next((type(error) for error in found if isinstance(error, ConfigurationError)), type(found[0]))
    error = kind(f"{len(found)} problems were found before anything was read:{listed}")
    error.retry_helps = all(one.retry_helps for one in found)
    error.problems = list(found)  # type: ignore[attr-defined]
    return error
