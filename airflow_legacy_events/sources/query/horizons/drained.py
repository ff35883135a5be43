"""What a drain finds, and what a probe keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_legacy_events.core.ports import Blocker
from airflow_legacy_events.sources.place import Values
from airflow_legacy_events.sources.query.horizons.kept import KeptHorizon


class Drained(NamedTuple):
    """How far a run may read.

    Attributes:
        target: the last position; None if nothing may be read.
        kept: for later runs.
        waits: whether a transaction is waited for.
        blocker: the transaction that is waited for, or whose begin holds the bound of a time column back; None if there
            is none, or nothing of it can be seen.
        seconds: how far the bound lies behind the database's clock; None if it is at the highest position.
    """

    target: Values | None
    kept: KeptHorizon = KeptHorizon()
    waits: bool = False
    blocker: Blocker | None = None
    seconds: float | None = None


@dataclass
class Looks:
    """What a probe keeps between two looks, since it saves no watermark.

    Attributes:
        kept: of the last look; empty before the first one.
        waits: whether the last look found rows that a later one may report; not those of a day, which lasts too long.
    """

    kept: KeptHorizon = field(default_factory=KeptHorizon)
    waits: bool = False


def seen(blocker: Blocker | None) -> Blocker | None:
    """Return a blocker of which anything can be seen, else None."""
    return None if blocker == Blocker() else blocker
