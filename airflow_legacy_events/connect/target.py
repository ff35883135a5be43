"""Target of a barrier: what a connector must reach, taken once and kept while a task is deferred."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.ports import LogPlace, Partition


@dataclass
class Target:
    """What was committed when a barrier began lies before it.

    Attributes:
        began: when it was taken, in seconds since 1970.
        place: of the source's log; None for a sink.
        ends: of a sink's topics, by partition.
        nudges: how often the log was made to move.
        nudged: when it was last, in seconds since 1970.
        slot: place that the slot had confirmed at first; None without a slot.
        dead_letters: messages on the sink's dead letter topic at the beginning; None without one.
    """

    began: float
    place: LogPlace | None = None
    ends: Mapping[Partition, int] = field(default_factory=dict)
    nudges: int = 0
    nudged: float = 0.0
    slot: LogPlace | None = None
    dead_letters: int | None = None

    @property
    def shown(self) -> str | dict[str, dict[str, int]]:
        """Return it for a report: the place as text, or offsets by topic and partition."""
        return by_topic(self.ends) if self.place is None else self.place.text

    def to_text(self) -> str:
        """Return it as JSON, for `read`."""
        ends = [[one.topic, one.number, end] for one, end in self.ends.items()]
        return json.dumps({**vars(self), "ends": ends})

    @classmethod
    def read(cls, text: str) -> Target:
        """Return the target that `to_text` wrote.

        Raises:
            ValueError: the text is of something else.
        """
        try:
            found = json.loads(text)
            ends = {Partition(topic, number): end for topic, number, end in found.pop("ends")}
            return cls(**{**found, "ends": ends, "place": _place(found["place"]), "slot": _place(found["slot"])})
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no target of a barrier: {type(error).__name__}") from None


def by_topic(offsets: Mapping[Partition, int]) -> dict[str, dict[str, int]]:
    """Return offsets as plain JSON: by topic, and by partition."""
    found: dict[str, dict[str, int]] = {}
    for at in sorted(offsets):
        found.setdefault(at.topic, {})[str(at.number)] = offsets[at]
    return found


def _place(found: Any) -> LogPlace | None:
    return None if found is None else LogPlace(tuple(found[0]), found[1])
