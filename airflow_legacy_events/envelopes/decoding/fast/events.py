"""Events of messages, as far as they are written in the usual way: rows that were inserted or updated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.core.model.packed import at_places
from airflow_legacy_events.envelopes.decoding.fast.layout import Text

Lazily = Callable[[], Sequence[str | None]]


@dataclass
class Events:
    """Upserts that were found among messages.

    Attributes:
        places: of the messages, in order.
        texts: JSON object of each one's row.
        said: what each calls it, `c`, `u` or `r`; None if it does not say.
        tables: where each comes from, when that is needed.
        ids: of the events, likewise.
        times: likewise.
        snapshots: likewise, the name of the snapshot of those that say `r`; None if it is none.
        typed: whether all values are what they seem; see `Meaning`.
        changed: names of the fields whose former value each has; None if none has any.
    """

    places: Sequence[int]
    texts: Sequence[Text]
    said: Sequence[str | None]
    tables: Callable[[], Sequence[TableOf]]
    ids: Lazily
    times: Lazily
    snapshots: Lazily
    typed: bool = True
    changed: Sequence[Sequence[str]] | None = None
    _found: dict[str, Sequence[str | None]] = field(default_factory=dict)

    def lazily(self, name: str) -> Sequence[str | None]:
        """Return `ids`, `times` or `snapshots`, found once."""
        if name not in self._found:
            self._found[name] = getattr(self, name)()
        return self._found[name]

    def picked(self, positions: Sequence[int]) -> Events:
        """Return some of them."""

        def lazily(name: str) -> Lazily:
            return lambda: at_places(self.lazily(name), positions)

        return Events(
            at_places(self.places, positions),
            at_places(self.texts, positions),
            at_places(self.said, positions),
            lambda: at_places(self.tables(), positions),
            lazily("ids"),
            lazily("times"),
            lazily("snapshots"),
            self.typed,
            None if self.changed is None else at_places(self.changed, positions),
        )


class FindsEvents(Protocol):
    """Finds events in the messages of one envelope."""

    def find(self, received: Received, places: Sequence[int]) -> Events | None:
        """Return the upserts among the messages at some places; None if there are none.

        What it leaves out is read by the decoder, which understands everything.
        """
